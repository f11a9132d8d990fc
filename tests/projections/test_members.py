"""Who takes part in a session is shown for every position."""

from datetime import UTC, datetime

from domain.session import PeerJoined, PeerLeft, PeerRoleChanged
from projections.members import Members, get_member
from tests.support.folding import create, fold
from tests.support.history import START, record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAMED = {"workspace": "w", "session": "s"}


async def test_a_member_who_leaves_is_remembered_and_may_return(db):
    views = [Members()]
    await create(db, views)
    later = NOON.replace(hour=13)
    last = NOON.replace(hour=14)
    await fold(
        db,
        views,
        record(
            [
                PeerJoined(**NAMED, peer="a", joined_at=NOON, observe_others=True),
                PeerJoined(**NAMED, peer="b", joined_at=later),
                PeerLeft(**NAMED, peer="a", left_at=later),
                PeerJoined(**NAMED, peer="a", joined_at=last),
            ]
        ),
    )
    seen = [
        [
            peer
            for peer in "ab"
            if (found := await get_member(db, "w", "s", peer, as_of=n)) and found.active
        ]
        for n in range(5)
    ]
    assert seen == [[], ["a"], ["a", "b"], ["b"], ["a", "b"]]
    left = await get_member(db, "w", "s", "a", as_of=3)
    assert left is not None
    assert (left.active, left.left_at, left.observe_others) == (False, later, True)
    back = await get_member(db, "w", "s", "a")
    assert back is not None
    assert (back.joined_at, back.left_at, back.observe_others) == (last, None, None)


async def test_a_role_keeps_the_time_of_joining_or_makes_a_member(db):
    views = [Members()]
    await create(db, views)
    events = record(
        [
            PeerJoined(**NAMED, peer="a", joined_at=NOON),
            PeerRoleChanged(**NAMED, peer="a", observe_me=False),
            PeerRoleChanged(**NAMED, peer="b", observe_others=True),
            PeerLeft(**NAMED, peer="nobody", left_at=NOON),
        ]
    )
    for each in events:
        await fold(db, views, [each])
    a = await get_member(db, "w", "s", "a")
    b = await get_member(db, "w", "s", "b")
    assert a is not None
    assert b is not None
    assert (a.joined_at, a.observe_me, a.active) == (NOON, False, True)
    assert (b.joined_at, b.active) == (START.replace(second=3), True)
    assert await get_member(db, "w", "s", "nobody") is None
