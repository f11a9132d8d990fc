"""A server that wants keys: what each kind of key may do through the SDK (HC 4)."""

from honcho import AuthenticationError, Peer, Session

from tests.e2e.sdk.refused import refused
from tests.e2e.sdk.story import Story
from tests.e2e.sdk.voice import every


def holder(story, key):
    """Return a client of the guarded server with one of the keys."""
    given = {"api_key": story.keys[key]} if key else {}
    return story.client(story.keys["at"], base_url=story.keys["url"], **given)


async def chapter_no_key_and_bad_keys(story: Story):
    ask = story.ask
    if not story.keys:
        return
    with refused(AuthenticationError, "No access token provided"):
        await ask(holder(story, None)).get_metadata()
    with refused(AuthenticationError, "Invalid JWT"):
        await ask(holder(story, "forged")).get_metadata()
    with refused(AuthenticationError, "JWT expired"):
        await ask(holder(story, "expired")).get_metadata()
    with refused(AuthenticationError, ""):
        await ask(holder(story, "elsewhere")).get_metadata()


async def chapter_the_key_of_an_admin(story: Story):
    ask = story.ask
    if not story.keys:
        return
    honcho = holder(story, "admin")
    await ask(honcho).set_metadata({"by": "admin"})
    assert story.keys["at"] in await every(await ask(honcho).workspaces())


async def chapter_the_key_of_a_workspace(story: Story):
    ask = story.ask
    if not story.keys:
        return
    honcho = holder(story, "workspace")
    with refused(AuthenticationError, "Resource requires admin privileges"):
        await ask(honcho).workspaces()
    ann = await ask(honcho).peer("ann", metadata={})
    session = await ask(honcho).session("s", metadata={})
    await ask(session).add_messages(await ask(ann).message("I live in Ghent."))
    assert "s" in [each.id for each in await every(await ask(honcho).sessions())]
    assert "ann" in [each.id for each in await every(await ask(honcho).peers())]
    assert await ask(honcho).queue_status()
    assert await ask(ann).card() is None


async def chapter_the_key_of_a_peer(story: Story):
    ask = story.ask
    if not story.keys:
        return
    await opened(story)
    honcho = holder(story, "peer")
    ann, bob = await ask(honcho).peer("ann"), Peer("bob", honcho)
    session = await ask(honcho).session("s")
    await ask(ann).set_metadata({"by": "ann"})
    assert await ask(ann).get_metadata() == {"by": "ann"}
    assert [each.id for each in await every(await ask(ann).sessions())] == ["s"]
    assert isinstance(await ask(ann).representation(), str)
    texts = [each.content for each in await every(await ask(session).messages())]
    assert "I live in Ghent." in texts
    assert "ann" in [each.id for each in await ask(session).peers()]
    not_permitted = "JWT not permissioned for this resource"
    with refused(AuthenticationError, not_permitted):
        await ask(bob).set_metadata({"by": "ann"})
    with refused(AuthenticationError, not_permitted):
        await ask(session).add_messages(await ask(ann).message("no"))
    with refused(AuthenticationError, not_permitted):
        await every(await ask(honcho).peers())
    with refused(AuthenticationError, not_permitted):
        await ask(ann.conclusions).list()


async def chapter_the_key_of_a_session(story: Story):
    ask = story.ask
    if not story.keys:
        return
    await opened(story)
    honcho = holder(story, "session")
    session, other = await ask(honcho).session("s"), Session("other", honcho)
    ann = await ask(honcho).peer("ann")
    await ask(session).add_messages(await ask(ann).message("I have two cats."))
    assert (await ask(session).context()).messages[-1].content == "I have two cats."
    not_permitted = "JWT not permissioned for this resource"
    with refused(AuthenticationError, not_permitted):
        await every(await ask(other).messages())
    with refused(AuthenticationError, not_permitted):
        await ask(ann).chat("Where?")
    with refused(AuthenticationError, "Unauthorized access to resource"):
        await ask(other).get_metadata()


async def opened(story):
    """Have Ann speak in the session, by the admin."""
    honcho = holder(story, "admin")
    ann = await story.ask(honcho).peer("ann", metadata={})
    session = await story.ask(honcho).session("s", metadata={})
    await story.ask(session).add_messages(
        await story.ask(ann).message("I live in Ghent.")
    )
