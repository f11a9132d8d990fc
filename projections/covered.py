"""What may be served of conclusions where only some sessions may be recalled from."""

from collections.abc import Sequence

from projections.condition import Bind, Condition


def covered(alias: str, sessions: Sequence[str]) -> Condition:
    """Hold for what was said in these sessions, and what rests on nothing else.

    What was inferred is covered where all it was built on is (RS 14 item 9); what
    rests on anything of no session never is.
    """

    def write(bind: Bind) -> str:
        listed = f"{bind(list(sessions))}::text[]"
        return (
            f"(CASE {alias}.level WHEN 'explicit' THEN {alias}.session = ANY({listed})"
            f" ELSE {alias}.sessions <> '{{}}' AND {alias}.sessions <@ {listed} END)"
        )

    return write
