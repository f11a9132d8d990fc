"""Scopes: made, filled, emptied, and as an option of what is asked."""

from honcho import NotFoundError

from tests.e2e.sdk.refused import refused
from tests.e2e.sdk.story import Story
from tests.e2e.sdk.voice import every


async def chapter_scopes(story: Story):
    ask, honcho = story.ask, story.honcho
    if not ask.can(honcho, "scope") or not ask.can(honcho, "scopes"):
        return
    trip = await ask(honcho).scope("trip", metadata={"to": "sea"})
    assert (trip.id, trip.metadata) == ("trip", {"to": "sea"})
    assert trip.created_at is not None
    for name in ("work", "home"):
        await ask(honcho).scope(name)
    listed = await ask(honcho).scopes()
    assert [each.id for each in listed.items] == ["trip", "work", "home"]
    back = await ask(honcho).scopes(page=1, size=2, reverse=True)
    assert [each.id for each in await every(back)] == ["home", "work", "trip"]
    assert await every(await ask(honcho).peers()) == []
    if ask.can(honcho, "get_scope"):
        again = await ask(honcho).get_scope("trip")
        assert (again.metadata, again.created_at) == (trip.metadata, trip.created_at)
        missing = f"Scope nowhere not found in workspace {story.workspace}"
        with refused(NotFoundError, missing):
            await ask(honcho).get_scope("nowhere")


async def chapter_sessions_of_scopes(story: Story):
    ask, honcho = story.ask, story.honcho
    if not ask.can(honcho, "scope"):
        return
    ann = await ask(honcho).peer("ann")
    first = await ask(honcho).session("s")
    await ask(first).add_messages(await ask(ann).message("I live in Ghent."))
    await story.until_processed(1)
    trip = await ask(honcho).scope("trip")
    second = await ask(honcho).session("t", scopes=[trip, "work"])
    await ask(honcho).session("u", metadata={})
    assert await ask(trip).add_sessions([first, "u"]) is None
    assert [each.id for each in await every(await ask(trip).sessions())] == [
        "t",
        "s",
        "u",
    ]
    page = await ask(trip).sessions(page=2, size=2, reverse=True)
    assert [each.id for each in page.items] == [second.id]
    status = await ask(trip).status()
    assert status["s"].state == "completed"
    assert status["s"].docs_copied == 1
    assert await ask(trip).remove_session(first) is None
    await ask(trip).remove_session("u")
    assert [each.id for each in await every(await ask(trip).sessions())] == ["t"]
    missing = f"Session(s) ['nowhere'] not found in workspace {story.workspace}"
    with refused(NotFoundError, missing):
        await ask(trip).add_sessions(["t", "nowhere"])


async def chapter_scopes_as_options(story: Story):
    ask, honcho = story.ask, story.honcho
    if not ask.can(honcho, "scope"):
        return
    ann = await ask(honcho).peer("ann")
    first, second = await ask(honcho).session("s"), await ask(honcho).session("t")
    await ask(first).add_messages(await ask(ann).message("I live in Ghent."))
    await ask(second).add_messages(await ask(ann).message("I have two cats."))
    await story.until_processed(2)
    trip, home = await ask(honcho).scope("trip"), await ask(honcho).scope("home")
    await ask(trip).add_sessions([first])
    await ask(home).add_sessions([second])
    found = await ask(honcho).search("I", scope=trip)
    assert [each.content for each in found] == ["I live in Ghent."]
    text = await ask(ann).representation(scope="trip")
    assert "Ghent" in text
    assert "cats" not in text
    both = await ask(ann).representation(scope=[trip, "home"])
    assert "Ghent" in both
    assert "cats" in both
    context = await ask(second).context(peer_target="ann", scope=trip)
    assert "Ghent" in context.peer_representation
    assert "cats" not in context.peer_representation
    assert "cats" in await ask(ann).chat("Which cats?", scope=home)
    assert "cats" not in await ask(ann).chat("Which cats?", scope=[trip])
    stream = await ask(ann).chat_stream("Where does ann live?", scope="trip")
    assert "Ghent" in "".join(await every(stream))
    assert "Ghent" in await ask(honcho).chat("Where does ann live?", scope="trip")
    stream = await ask(honcho).chat_stream("Which cats?", scope=["trip", "home"])
    assert "cats" in "".join(await every(stream))
