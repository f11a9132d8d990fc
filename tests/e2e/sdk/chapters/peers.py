"""Peers: settings, lists, their sessions, search and cards."""

from honcho import NotFoundError, Peer
from honcho.api_types import PeerConfig

from tests.e2e.sdk.refused import refused
from tests.e2e.sdk.story import Story
from tests.e2e.sdk.voice import every, settings


async def chapter_peer_settings(story: Story):
    ask, honcho = story.ask, story.honcho
    lazy = await ask(honcho).peer("ann")
    assert await ask(lazy).get_metadata() == {}
    assert (await ask(lazy).get_configuration()).observe_me is None
    made = await ask(honcho).peer(
        "ann", metadata={"age": 30}, configuration=PeerConfig(observe_me=False)
    )
    assert (made.id, made.metadata) == ("ann", {"age": 30})
    assert settings(made.configuration) == {"observe_me": False}
    await ask(lazy).set_metadata({"age": 31})
    await ask(lazy).set_configuration(PeerConfig(observe_me=True))
    await ask(made).refresh()
    assert made.metadata == {"age": 31}
    assert settings(made.configuration) == {"observe_me": True}
    if ask.can(made, "created_at"):
        assert made.created_at is not None
    if ask.can(made, "uid"):
        await ask(lazy).refresh()
        assert made.uid
        assert made.uid == lazy.uid


async def chapter_peer_lists(story: Story):
    ask, honcho = story.ask, story.honcho
    assert (await ask(honcho).peers()).items == []
    names = [f"p{number:02}" for number in range(55)]
    session = await ask(honcho).session("many")
    for half in (names[:30], names[30:]):
        await ask(session).add_peers(list(half))
    assert sorted(each.id for each in await every(await ask(honcho).peers())) == names
    page = await ask(honcho).peers()
    assert (len(page), page.total, page.pages, page[0].id) == (
        50,
        55,
        2,
        page.items[0].id,
    )
    assert page.has_next_page()
    for number in (3, 4):
        chosen = await ask(honcho).peer(names[number], metadata={"kind": "chosen"})
        assert chosen.metadata == {"kind": "chosen"}
    kind = {"metadata": {"kind": "chosen"}}
    assert {each.id for each in await ask_every(story, kind)} == set(names[3:5])
    by_id = {"id": {"in": ["p07", "nobody"]}}
    assert [each.id for each in await ask_every(story, by_id)] == ["p07"]
    if ask.can(honcho, "peers", "page", "size", "reverse"):
        forth = await every(await ask(honcho).peers(size=20))
        back = await every(await ask(honcho).peers(size=20, reverse=True))
        assert [each.id for each in back] == [each.id for each in forth][::-1]
        second = await ask(honcho).peers(page=2, size=20)
        assert [each.id for each in second.items] == [each.id for each in forth[20:40]]


async def ask_every(story, filters):
    return await every(await story.ask(story.honcho).peers(filters))


async def chapter_sessions_of_a_peer(story: Story):
    ask, honcho = story.ask, story.honcho
    ann = await ask(honcho).peer("ann", metadata={})
    assert await every(await ask(ann).sessions()) == []
    for number in range(3):
        session = await ask(honcho).session(f"s{number}", metadata={"number": number})
        await ask(session).add_peers("ann")
    found = await every(await ask(ann).sessions())
    assert [each.id for each in found] == ["s0", "s1", "s2"]
    assert await ask(found[1]).get_metadata() == {"number": 1}
    second = await every(await ask(ann).sessions({"metadata": {"number": 1}}))
    assert [each.id for each in second] == ["s1"]
    if ask.can(ann, "sessions", "page", "size", "reverse"):
        page = await ask(ann).sessions(page=2, size=1, reverse=True)
        assert [each.id for each in page.items] == ["s1"]
        following = page.get_next_page()
        following = await following if ask.asynchronous else following
        assert [each.id for each in following.items] == ["s0"]


async def chapter_search_of_a_peer(story: Story):
    ask, honcho = story.ask, story.honcho
    ann, bob = await ask(honcho).peer("ann"), await ask(honcho).peer("bob")
    for name in ("s", "t"):
        session = await ask(honcho).session(name)
        said = [
            await ask(ann).message(f"trains are quick in {name}"),
            await ask(bob).message("trains are slow"),
        ]
        await ask(session).add_messages(said)
    found = await ask(ann).search("trains")
    assert {(each.peer_id, each.session_id) for each in found} == {
        ("ann", "s"),
        ("ann", "t"),
    }
    (only,) = await ask(ann).search("trains", {"session_id": "t"}, 1)
    assert (only.content, only.workspace_id) == (
        "trains are quick in t",
        story.workspace,
    )
    everywhere = await ask(honcho).search("trains")
    assert len(everywhere) == 4
    assert len(await ask(honcho).search("trains", limit=3)) == 3
    slow = await ask(honcho).search("trains", filters={"peer_id": "bob"}, limit=100)
    assert {each.content for each in slow} == {"trains are slow"}


async def chapter_cards(story: Story):
    ask, honcho = story.ask, story.honcho
    ann = Peer("ann", honcho)
    with refused(NotFoundError, f"Peer ann not found in workspace {story.workspace}"):
        await ask(ann).card()
    bob = await ask(honcho).peer("bob", metadata={})
    await ask(ann).set_metadata({})
    assert await ask(ann).card() is None
    assert await ask(ann).card(target=bob) is None
    if not ask.can(ann, "set_card") or not ask.can(ann, "get_card"):
        return
    assert await ask(ann).set_card(["Name: Ann", "Likes: tea"]) == [
        "Name: Ann",
        "Likes: tea",
    ]
    assert await ask(ann).set_card(["Name: Bob"], target=bob) == ["Name: Bob"]
    assert await ask(ann).get_card() == ["Name: Ann", "Likes: tea"]
    assert await ask(ann).get_card("bob") == await ask(ann).card("bob") == ["Name: Bob"]
    assert await ask(bob).get_card() is None
    assert await ask(ann).set_card([]) == []
    assert await ask(ann).get_card() == []
