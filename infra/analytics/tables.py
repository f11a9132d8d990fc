"""The tables of roll-ups: what a row stands for, what adds up, what is highest."""

from typing import Final

import msgspec


class RollUp(msgspec.Struct, frozen=True):
    """A table; after workspace and day its key goes on by ``by``, names and types.

    ``sums`` are added to, ``highest`` are raised; all are bigint.
    """

    name: str
    by: tuple[tuple[str, str], ...]
    sums: tuple[str, ...]
    highest: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        return (("workspace", "text"), ("day", "date"), *self.by)

    @property
    def counts(self) -> tuple[str, ...]:
        return self.sums + self.highest


ACTIVITY: Final = RollUp(
    "activity",
    (),
    (
        *("messages", "copies", "message_tokens"),
        *("derivations", "derivations_failed", "messages_derived"),
        *("messages_passed_over", "derivation_micros"),
        *("summaries", "questions", "dreams"),
    ),
    ("derivation_micros_longest",),
)
ACTIVE_PEER: Final = RollUp("active_peer", (("peer", "text"),), ("messages",))
CONCLUSIONS: Final = RollUp(
    "conclusions",
    (("level", "text"),),
    ("derived", "reinforced", "retracted", "reinstated"),
)
MODELS: Final = RollUp(
    "models",
    (("transport", "text"), ("model", "text")),
    (
        *("calls", "failed", "requests", "input", "output", "cached"),
        *("cost_micros", "unpriced"),
    ),
)
LATENCY: Final = RollUp("latency", (("doubling", "smallint"),), ("messages",))

ROLL_UPS: Final = (ACTIVITY, ACTIVE_PEER, CONCLUSIONS, MODELS, LATENCY)
"""Whatever has a row in one of them has one in ``ACTIVITY``, too."""
