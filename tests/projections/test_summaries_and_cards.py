"""Summaries and cards are shown as they stand and as they stood."""

from datetime import UTC, datetime

from domain.card import CardReplacedByOwner
from domain.event import Engine
from domain.summary import SummaryProduced
from projections.cards import Cards, get_card
from projections.summaries import Summaries, get_summaries
from tests.support.folding import create, fold
from tests.support.history import record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def summed(to_seq, kind="short", parent=None):
    return SummaryProduced(
        workspace="w",
        session="s",
        id=f"{kind}{to_seq}",
        kind=kind,
        from_seq=to_seq - 19,
        to_seq=to_seq,
        message=f"m{to_seq}",
        content=f"up to {to_seq}",
        tokens=4,
        created_at=NOON,
        engine=Engine(name="offline", version="1"),
        parent=parent,
    )


async def test_the_newest_summary_of_each_kind_is_current(db):
    await create(db, [Summaries()])
    events = record(
        [summed(20), summed(40, parent="short20"), summed(60, "long"), summed(60)]
    )
    await fold(db, [Summaries()], events[:3])
    await fold(db, [Summaries()], events[1:])
    now = (await get_summaries(db, "w", "s"))["short"]
    then = (await get_summaries(db, "w", "s", as_of=2))["short"]
    assert (now.id, now.from_seq, now.to_seq) == ("short60", 41, 60)
    assert (then.id, then.parent) == ("short40", "short20")
    assert set(await get_summaries(db, "w", "s", as_of=2)) == {"short"}
    assert set(await get_summaries(db, "w", "s")) == {"short", "long"}


async def test_a_card_keeps_the_order_of_its_entries(db):
    await create(db, [Cards()])
    cards = [("b", "a", "ü, {}\"'", ""), (), ("c\x00",)]
    events = record(
        CardReplacedByOwner(workspace="w", observer="o", observed="p", entries=each)
        for each in cards
    )
    for each in events:
        await fold(db, [Cards()], [each])
        await fold(db, [Cards()], events[: each.position])
    assert [await get_card(db, "w", "o", "p", as_of=n) for n in range(4)] == [
        None,
        list(cards[0]),
        [],
        ["c�"],
    ]
    assert await get_card(db, "w", "p", "o") is None
