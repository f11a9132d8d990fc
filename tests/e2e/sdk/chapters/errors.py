"""What the server refuses, as the SDK's exception classes and our texts."""

from honcho import (
    BadRequestError,
    NotFoundError,
    Session,
    UnprocessableEntityError,
)
from honcho.api_types import SessionPeerConfig

from tests.e2e.sdk.refused import refused
from tests.e2e.sdk.story import Story


async def chapter_what_is_missing(story: Story):
    ask, honcho, at = story.ask, story.honcho, story.workspace
    session = await ask(honcho).session("s", metadata={})
    ann = await ask(honcho).peer("ann", metadata={})
    nobody = f"Peer nobody not found in workspace {at}"
    with refused(NotFoundError, nobody):
        await ask(session).get_peer_configuration("nobody")
    with refused(NotFoundError, nobody):
        await ask(session).set_peer_configuration("nobody", SessionPeerConfig())
    with refused(NotFoundError, "Session peer ann not found in session s"):
        await ask(session).get_peer_configuration("ann")
    with refused(NotFoundError, "Session nowhere not found"):
        await ask(ann).chat("Where?", session="nowhere")
    with refused(NotFoundError, nobody):
        await ask(ann).chat("Where?", target="nobody")
    with refused(NotFoundError, "Session nowhere not found"):
        await ask(ann.conclusions).create([{"content": "a", "session_id": "nowhere"}])
    with refused(NotFoundError, nobody):
        await ask(ann.conclusions_of("nobody")).create([{"content": "a"}])
    with refused(NotFoundError, "Message not found"):
        await ask(session).update_message("nothing", {})
    with refused(NotFoundError, "Session not found"):
        await ask(session).clone(message_id="nothing")
    with refused(NotFoundError, "Original session not found"):
        await ask(Session("never", honcho)).clone()
    if ask.can(session, "get_message"):
        with refused(NotFoundError, "Message with ID nothing not found"):
            await ask(session).get_message("nothing")


async def chapter_what_is_wrong(story: Story):
    ask, honcho = story.ask, story.honcho
    session = await ask(honcho).session("s", metadata={})
    ann = await ask(honcho).peer("ann", metadata={})
    with refused(UnprocessableEntityError, "pattern"):
        await ask(honcho).peer("no spaces", metadata={})
    with refused(UnprocessableEntityError, ""):
        await ask(honcho).session("no spaces", metadata={})
    too_many = [await ask(ann).message("x") for _ in range(101)]
    with refused(UnprocessableEntityError, "100"):
        await ask(session).add_messages(too_many)
    with refused(UnprocessableEntityError, ""):
        await ask(honcho).peers({"nonsense": 1})
    with refused(UnprocessableEntityError, ""):
        await ask(session).search("a", {"peer_id": {"nonsense": 1}})
    deep = {"a": {"b": {"c": {"d": {"e": {}}}}}}
    with refused(UnprocessableEntityError, ""):
        await ask(ann).set_metadata(deep)
    watching = SessionPeerConfig(observe_others=True)
    with refused(BadRequestError, "Maximum allowed is 10 observers"):
        await ask(session).add_peers([(f"p{n}", watching) for n in range(11)])
    if ask.can(ann, "chat", "response_format"):
        with refused(UnprocessableEntityError, "Invalid response_format"):
            await ask(ann).chat("Where?", response_format={"type": "array"})
