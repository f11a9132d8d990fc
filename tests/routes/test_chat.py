"""Chat without streaming (HC E12; X3, X57, X58)."""

import pytest

from domain.question import QuestionAnswered

PATH = "/acme/peers/ann/chat"


async def test_x57_asking_makes_the_peer_and_records_question_and_answer(app):
    answer = await app.post(PATH, {"query": "What does\x00 she like?"})
    assert (answer.status_code, answer.json()) == (200, {"content": "Tea."})
    assert await app.recorded() == [
        "workspace-created",
        "peer-created",
        "question-answered",
    ]
    [*_, last] = await app.store.read_log(after=0, limit=10)
    assert isinstance(last.event, QuestionAnswered)
    assert last.event.question == "What does she like?"
    assert (last.event.peer, last.event.target) == ("ann", "ann")
    assert (last.event.conclusions, last.event.messages) == (("c1",), ("m1",))
    assert last.event.level == "low"


async def test_x58_an_empty_answer_is_null(app):
    app.answerer.content = ""
    answer = await app.post(PATH, {"query": "What?"})
    assert answer.text == '{"content":null}'


async def test_x3_the_query_string_is_ignored(app):
    answer = await app.post(PATH + "?session_id=nope&target=nope", {"query": "What?"})
    assert answer.status_code == 200


async def test_what_is_asked_reaches_the_answerer(app):
    await app.post("/acme/peers", {"id": "bob"})
    await app.post("/acme/sessions", {"id": "s1"})
    sent = {
        "query": "What?",
        "target": "bob",
        "session_id": "s1",
        "reasoning_level": "max",
        "stream": "no",
    }
    assert (await app.post(PATH, sent)).status_code == 200
    [asked] = app.answerer.asked
    assert (asked.peer, asked.target, asked.session) == ("ann", "bob", "s1")
    assert (asked.level, asked.query) == ("max", "What?")


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        ({"target": "ghost"}, "Peer ghost not found in workspace acme"),
        ({"target": "no name"}, "Peer no name not found in workspace acme"),
        ({"target": "a\x00"}, "Peer a\x00 not found in workspace acme"),
        ({"session_id": "nope"}, "Session nope not found in workspace acme"),
        ({"session_id": "a\x00"}, "Session a\x00 not found in workspace acme"),
    ],
)
async def test_asking_about_nobody_or_in_no_session_is_404(app, sent, detail):
    answer = await app.post(PATH, {"query": "What?", **sent})
    assert (answer.status_code, answer.json()["detail"]) == (404, detail)
    assert await app.recorded() == []
    assert app.answerer.asked == []


@pytest.mark.parametrize(
    "sent",
    [
        {"stream": True},
        {"scope": "work"},
        {"scope": ["work", "home"]},
        {"filters": {"session_id": "s1"}},
        {"response_format": {"type": "object"}},
        {"scope": "work", "filters": {}},
        {"scope": "work", "session_id": "s1"},
    ],
)
async def test_what_is_not_served_is_refused_and_never_ignored(app, sent):
    answer = await app.post(PATH, {"query": "What?", **sent})
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)
    assert app.answerer.asked == []
    assert await app.recorded() == []
