"""Chat with a peer and with a workspace: answers, streams, forms, evidence."""

import json

from pydantic import BaseModel

from tests.e2e.sdk.chapters.recall import remembered
from tests.e2e.sdk.story import Story
from tests.e2e.sdk.voice import every


class Home(BaseModel):
    """Where somebody lives, as an answer."""

    summary: str
    cats: int | None = None


FORM = {"type": "object", "properties": {"summary": {"type": "string"}}}


async def chapter_chat_with_a_peer(story: Story):
    ask = story.ask
    ann, bob, first, _ = await remembered(story)
    answer = await ask(ann).chat("Where does ann live?")
    assert "Ghent" in answer
    assert "Ghent" in await ask(bob).chat("Where does ann live?", target=ann)
    here = await ask(ann).chat(
        "Where does ann live?", session=first, reasoning_level="minimal"
    )
    assert "Ghent" in here
    stream = await ask(ann).chat_stream("Where does ann live?")
    assert not stream.is_complete
    told = await every(stream)
    assert "".join(told) == answer
    assert stream.is_complete
    assert stream.get_final_response() == {"content": answer}
    seen = await ask(bob).chat_stream(
        "Where?", target="ann", session="s", reasoning_level="high"
    )
    assert "Ghent" in "".join(await every(seen))


async def chapter_forms_and_evidence_of_a_peer(story: Story):
    ask = story.ask
    ann, _, first, second = await remembered(story)
    if ask.can(ann, "chat", "response_format"):
        await answers_fit_their_form(story, ann)
    if ask.can(ann, "chat", "include_evidence"):
        await answers_tell_their_evidence(story, ann)
    if ask.can(ann, "chat", "timeout"):
        assert await ask(ann).chat("Where does ann live?", timeout=120.0)
    if ask.can(ann, "chat", "sessions"):
        here = await ask(ann).chat("Which cats?", sessions=[second])
        assert "cats" in here
        there = await ask(ann).chat_stream("Which cats?", sessions=[first])
        assert "cats" not in "".join(await every(there))


async def chapter_chat_with_a_workspace(story: Story):
    ask, honcho = story.ask, story.honcho
    if not (ask.can(honcho, "chat") and ask.can(honcho, "chat_stream")):
        return
    await remembered(story)
    answer = await ask(honcho).chat("Where does ann live?")
    assert "Ghent" in answer
    told = await ask(honcho).chat(
        "Where does ann live?", session="s", reasoning_level="max"
    )
    assert "Ghent" in told
    stream = await ask(honcho).chat_stream(
        "Where does ann live?", session="s", reasoning_level="low"
    )
    assert "Ghent" in "".join(await every(stream))
    await answers_fit_their_form(story, honcho)
    if ask.can(honcho, "chat", "include_evidence"):
        await answers_tell_their_evidence(story, honcho)


async def answers_fit_their_form(story, who):
    ask = story.ask
    filled = await ask(who).chat("Where does ann live?", response_format=Home)
    assert isinstance(filled, Home)
    assert "Ghent" in filled.summary
    loose = await ask(who).chat("Where does ann live?", response_format=FORM)
    loose = json.loads(loose) if isinstance(loose, str) else loose
    assert "Ghent" in loose["summary"]
    stream = await ask(who).chat_stream("Where does ann live?", response_format=Home)
    fragments = "".join(await every(stream))
    assert "Ghent" in Home.model_validate_json(fragments).summary


async def answers_tell_their_evidence(story, who):
    ask = story.ask
    asked = "Where does ann live?"
    told = await ask(who).chat(asked, include_evidence=True)
    assert "Ghent" in told.content
    (known,) = [each for each in told.evidence.conclusions if "Ghent" in each.content]
    assert (known.level, known.session_id) == ("explicit", "s")
    if ask.can(known, "observed_id"):
        assert known.observed_id == "ann"
    assert {each.session_id for each in told.evidence.messages} <= {"s", "t"}
    for call in told.evidence.tool_calls:
        assert call.tool_name
    stream = await ask(who).chat_stream(asked, include_evidence=True)
    assert stream.evidence is None
    assert "Ghent" in "".join(await every(stream))
    assert stream.evidence.conclusions == told.evidence.conclusions
    filled = await ask(who).chat(asked, response_format=Home, include_evidence=True)
    assert isinstance(filled.content, Home)
    assert filled.evidence.conclusions
