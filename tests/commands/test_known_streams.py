"""What is known of streams while others append to them, unheard."""

from datetime import UTC, datetime
from uuid import uuid4

from commands.clone import CloneSession, clone_session
from commands.decide import Reason
from commands.parents import watch_session, watch_workspace
from commands.write import Write
from domain.session import SessionCreated
from tests.support.log import CAUSE
from tests.support.two_processes import WORKSPACE, founding, naming

REASON = Reason(CAUSE)


async def test_what_is_heard_of_a_stream_while_it_is_read_is_not_missed(
    both, monkeypatch
):
    here, there = both
    await there("w", [WORKSPACE], founding, REASON)
    read = here._store.read_stream

    async def read_while_it_moves(stream, *, after=0, limit=None):
        page = await read(stream, after=after, limit=limit)
        monkeypatch.undo()
        await there("w", [WORKSPACE], naming("one"), REASON)
        await here.look_anew(watch_workspace("another"))
        return page

    monkeypatch.setattr(here._store, "read_stream", read_while_it_moves)
    await here.look(WORKSPACE)
    assert (await here.look_anew(WORKSPACE)).metadata == {"name": "one"}


async def test_what_views_may_show_is_known_to_who_looks(both):
    """Else a decision about what they show is taken again and again, for ever."""
    here, there = both
    await there("w", [WORKSPACE], founding, REASON)
    await here.look(WORKSPACE)
    await there("w", [WORKSPACE], naming("one"), REASON)
    await here._store.head()
    assert (await here.look(WORKSPACE)).metadata == {"name": "one"}


class Views:
    async def wait_for(self, _position, _timeout):
        return True


def writing(decide):
    return Write(
        decide,
        store=decide._store,
        views=Views(),
        clock=lambda: datetime(2026, 3, 1, tzinfo=UTC),
        new_id=lambda: uuid4().hex[:21],
        tokens=None,
    )


async def test_a_session_made_by_another_process_is_cloned_at_once(both):
    here, there = both
    session = watch_session("w", "s")
    assert not (await here.look(session)).exists
    await there("w", [WORKSPACE], founding, REASON)
    opened = SessionCreated(
        workspace="w", session="s", uid="s", created_at=datetime(2026, 3, 1, tzinfo=UTC)
    )
    await there("w", [session], lambda _: {session.stream: [opened]}, REASON)
    command = CloneSession(workspace="w", session="s", message=None)
    assert (await clone_session(writing(here), command, REASON)).session
