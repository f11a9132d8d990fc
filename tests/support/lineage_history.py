"""What may be built on what, for arbitrary histories of one small workspace."""

from collections.abc import Sequence

from domain.conclusion import ConclusionDerived
from domain.event import Engine, Event
from domain.question import QuestionAnswered, Trace
from domain.session import MessageAdded
from tests.support.history import START

OFFLINE = Engine(name="offline", version="1")


def built_events(
    session: str, number: int, before: Sequence[Event], said: Sequence[MessageAdded]
) -> list[Event]:
    """Return an inference from what was concluded, or an answer that cites it."""
    drawn = [each.id for each in before if isinstance(each, ConclusionDerived)]
    cited = tuple(drawn[-1 - number % 5 :][:2])
    if number % 2:
        return [
            ConclusionDerived(
                workspace="w",
                session=session if number % 3 == 0 else None,
                id=f"i{len(before)}",
                observed="alice",
                content=f"alice is {number}",
                content_key="",
                occurred_at=START,
                engine=OFFLINE,
                observer="bob",
                level="deductive",
                sources=(*cited, "nowhere") if number % 5 == 0 else cited,
                derivation=f"dream{len(before)}" if number % 3 else "",
            )
        ]
    return [
        QuestionAnswered(
            workspace="w",
            id=f"q{len(before)}",
            peer="bob",
            target="alice",
            session=session if number % 4 else None,
            question="What?",
            answer="That.",
            conclusions=cited,
            messages=tuple(each.id for each in said[-2:]),
            level="low",
            as_of=number,
            answered_at=START,
            engine=OFFLINE,
            trace=Trace(run=f"run-{number % 3}", iterations=1, ended="answered"),
        )
    ]
