"""Sessions: settings, members, lists, clones, summaries, deletion."""

from honcho import NotFoundError
from honcho.api_types import SessionConfiguration, SessionPeerConfig

from tests.e2e.sdk.chapters.workspaces import INSTRUCTED, known
from tests.e2e.sdk.refused import refused
from tests.e2e.sdk.story import Story
from tests.e2e.sdk.voice import every, settings


async def chapter_session_settings(story: Story):
    ask, honcho = story.ask, story.honcho
    wanted = known(SessionConfiguration, INSTRUCTED)
    made = await ask(honcho).session(
        "s", metadata={"topic": "tea"}, configuration=SessionConfiguration(**wanted)
    )
    assert made.metadata == {"topic": "tea"}
    assert settings(made.configuration) == wanted
    other = await ask(honcho).session("s")
    assert await ask(other).get_metadata() == {"topic": "tea"}
    stored = await ask(other).get_configuration()
    assert settings(stored) == wanted
    await ask(other).set_metadata({"topic": "trains"})
    await ask(other).set_configuration(SessionConfiguration(dream={"enabled": True}))
    await ask(made).refresh()
    assert made.metadata == {"topic": "trains"}
    merged = wanted | {"dream": {"enabled": True}}
    assert settings(made.configuration) == merged
    if ask.can(made, "created_at") and ask.can(made, "is_active"):
        assert made.created_at is not None
        assert made.is_active is True
    if ask.can(made, "uid"):
        await ask(other).refresh()
        assert made.uid
        assert made.uid == other.uid


async def chapter_members(story: Story):
    ask, honcho = story.ask, story.honcho
    ann, bob = await ask(honcho).peer("ann"), await ask(honcho).peer("bob")
    watching = SessionPeerConfig(observe_me=False, observe_others=True)
    session = await ask(honcho).session("s", metadata={})
    assert await ask(session).peers() == []
    await ask(session).add_peers(ann)
    await ask(session).add_peers("cid")
    await ask(session).add_peers((bob, watching))
    await ask(session).add_peers(["dora", ("emil", watching)])
    assert await members(story, session) == {"ann", "bob", "cid", "dora", "emil"}
    of_bob = await ask(session).get_peer_configuration(bob)
    assert (of_bob.observe_me, of_bob.observe_others) == (False, True)
    of_ann = await ask(session).get_peer_configuration("ann")
    assert (of_ann.observe_me, of_ann.observe_others) == (None, None)
    change = SessionPeerConfig(observe_others=False)
    assert await ask(session).set_peer_configuration(bob, change) is None
    of_bob = await ask(session).get_peer_configuration("bob")
    assert (of_bob.observe_me, of_bob.observe_others) == (False, False)
    await ask(session).remove_peers([ann, "cid", "nobody"])
    await ask(session).remove_peers("dora")
    assert await members(story, session) == {"bob", "emil"}
    await ask(session).set_peers([ann, (bob, SessionPeerConfig(observe_me=True))])
    assert await members(story, session) == {"ann", "bob"}
    of_bob = await ask(session).get_peer_configuration("bob")
    assert (of_bob.observe_me, of_bob.observe_others) == (True, None)
    await ask(session).set_peers(ann)
    await ask(session).remove_peers(ann)
    assert await members(story, session) == set()


async def members(story, session):
    return {each.id for each in await story.ask(session).peers()}


async def chapter_sessions_opened_with_members(story: Story):
    ask, honcho = story.ask, story.honcho
    if not ask.can(honcho, "session", "peers"):
        return
    watching = SessionPeerConfig(observe_others=True)
    session = await ask(honcho).session("s", peers=["ann", ("bob", watching)])
    assert await members(story, session) == {"ann", "bob"}
    assert (await ask(session).get_peer_configuration("bob")).observe_others is True


async def chapter_session_lists(story: Story):
    ask, honcho = story.ask, story.honcho
    assert await every(await ask(honcho).sessions()) == []
    for number in range(5):
        await ask(honcho).session(f"s{number}", metadata={"number": number})
    listed = await ask(honcho).sessions()
    names = [each.id for each in listed.items]
    assert names == [f"s{number}" for number in range(5)]
    assert (listed.total, listed.pages, listed.size) == (5, 1, 50)
    above = {"metadata": {"number": {"gt": 2}}}
    assert [s.id for s in await every(await ask(honcho).sessions(above))] == names[3:]
    if ask.can(honcho, "sessions", "page", "size", "reverse"):
        back = await ask(honcho).sessions(size=2, reverse=True)
        assert [each.id for each in await every(back)] == names[::-1]
        page = await ask(honcho).sessions(page=2, size=2)
        assert [each.id for each in page.items] == names[2:4]
        assert (page.page, page.pages, page.size) == (2, 3, 2)


async def chapter_clones(story: Story):
    ask, honcho = story.ask, story.honcho
    ann = await ask(honcho).peer("ann")
    session = await ask(honcho).session("s", metadata={"topic": "tea"})
    said = [await ask(ann).message(f"{n}", metadata={"n": n}) for n in range(4)]
    made = await ask(session).add_messages(said)
    whole = await ask(session).clone()
    assert whole.id != "s"
    assert await ask(whole).get_metadata() == {"topic": "tea"}
    copies = await every(await ask(whole).messages())
    assert [(each.content, each.metadata) for each in copies] == [
        (f"{n}", {"n": n}) for n in range(4)
    ]
    assert not {each.id for each in copies} & {each.id for each in made}
    assert await members(story, whole) == {"ann"}
    part = await ask(session).clone(message_id=made[1].id)
    assert [m.content for m in await every(await ask(part).messages())] == ["0", "1"]


async def chapter_summaries(story: Story):
    ask, honcho = story.ask, story.honcho
    short = {"messages_per_short_summary": 10, "messages_per_long_summary": 20}
    session = await ask(honcho).session(
        "s", configuration=SessionConfiguration(summary=short)
    )
    none = await ask(session).summaries()
    assert (none.id, none.short_summary, none.long_summary) == ("s", None, None)
    ann = await ask(honcho).peer("ann")
    said = [await ask(ann).message(f"I have been to town {n}.") for n in range(20)]
    made = await ask(session).add_messages(said)
    await story.until_processed(22)
    both = await ask(session).summaries()
    assert both.short_summary.message_id == made[19].id
    assert both.long_summary.message_id == made[19].id
    assert both.short_summary.summary_type == "honcho_chat_summary_short"
    assert both.long_summary.summary_type == "honcho_chat_summary_long"
    for each in (both.short_summary, both.long_summary):
        assert each.content
        assert each.token_count > 0
        assert each.created_at.endswith("Z")
    context = await ask(session).context(tokens=2_000)
    assert context.summary in (both.short_summary, both.long_summary)
    assert [each.id for each in context.messages] == [made[19].id]
    assert len(context) == 2
    assert (await ask(session).context(summary=False)).summary is None


async def chapter_session_deletion(story: Story):
    ask, honcho = story.ask, story.honcho
    session = await ask(honcho).session("gone", metadata={})
    await ask(honcho).session("stays", metadata={})
    await ask(session).delete()
    left = await every(await ask(honcho).sessions())
    assert [each.id for each in left] == ["stays"]
    missing = f"Session gone not found in workspace {story.workspace}"
    with refused(NotFoundError, missing):
        await ask(session).delete()
