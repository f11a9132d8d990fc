"""Chat, and a workspace's (HC E12, 7.5)."""

import pytest

from domain.question import QuestionAnswered

PATH = "/acme/peers/ann/chat"


async def test_asking_makes_the_peer_and_records_question_and_answer(app):
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


async def test_an_empty_answer_is_null(app):
    app.answerer.content = ""
    answer = await app.post(PATH, {"query": "What?"})
    assert answer.text == '{"content":null}'


async def test_the_query_string_is_ignored(app):
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
    ("sent", "status", "detail"),
    [
        ({"scope": "work", "filters": {}}, 422, "`scope` and `filters` are"),
        ({"scope": "work", "session_id": "s1"}, 422, "`scope` and `session_id` are"),
        ({"scope": "work"}, 404, "Scope work not found in workspace acme"),
        ({"filters": {}}, 422, "filters must contain 'session_id'"),
        (
            {"filters": {"peer_id": "x"}},
            422,
            "Unsupported filter key(s) for this endpoint: ['peer_id'].",
        ),
        (
            {"filters": {"session_id": "*"}},
            422,
            "Invalid session id in filters.session_id: '*'.",
        ),
        (
            {"filters": {"session_id": "s1"}, "session_id": "s2"},
            422,
            "session_id must be included in filters.session_id",
        ),
        (
            {"response_format": {}},
            422,
            "Invalid response_format: root schema must have type 'object' at root",
        ),
        ({"target": "scope.work"}, 422, "Peer name(s) ['scope.work'] are in the"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_wrong_is_told_before_anything_is_made(
    app, sent, status, detail, stream
):
    answer = await app.post(PATH, {"query": "What?", "stream": stream, **sent})
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(detail)
    assert app.answerer.asked == []
    assert await app.recorded() == []


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        # Each is wrong in all that follows, too: the first in order is told.
        ({"target": "scope.x", "scope": "work", "filters": {}}, "Peer name(s)"),
        ({"scope": "work", "filters": {}, "response_format": {}}, "`scope` and"),
        ({"filters": {}, "response_format": {}, "target": "ghost"}, "filters must"),
        ({"response_format": {}, "target": "ghost"}, "Invalid response_format"),
        ({"target": "ghost", "session_id": "nope"}, "Peer ghost not found"),
    ],
)
async def test_checks_come_in_the_contracts_order(app, sent, detail):
    answer = await app.post(PATH, {"query": "What?", **sent})
    assert answer.json()["detail"].startswith(detail)


async def test_a_scope_cannot_be_asked(app):
    await app.post("/acme/scopes", {"id": "work"})
    answer = await app.post("/acme/peers/scope.work/chat", {"query": "What?"})
    assert answer.status_code == 422
    assert "No representation is formed of a scope" in answer.json()["detail"]


async def test_an_allowlist_reaches_the_answerer(app):
    for listed, sessions in (
        (["s1", "s2", "s1"], ("s1", "s2")),
        ({"in": ["s1"]}, ("s1",)),
        ("s1", ("s1",)),
        ([], ()),
    ):
        sent = {"query": "What?", "filters": {"session_id": listed}}
        assert (await app.post(PATH, sent)).status_code == 200
        assert app.answerer.asked[-1].sessions == sessions


async def test_a_form_reaches_the_answerer(app):
    form = {"type": "object", "properties": {"a": {"type": "string"}}}
    await app.post(PATH, {"query": "What?", "response_format": form})
    assert app.answerer.asked[0].form.shown == form


async def test_a_stream_is_framed_to_the_byte(app):
    app.answerer.content = "Grüner Tee."
    answer = await app.post(PATH, {"query": "What?", "stream": True})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.content == (
        b'data: {"delta": {"content": "Gr\\u00fcner"}, "done": false}\n\n'
        b'data: {"delta": {"content": " Tee."}, "done": false}\n\n'
        b'data: {"done": true}\n\n'
    )
    assert int(answer.headers["x-position"]) == 2
    [*_, last] = await app.store.read_log(after=0, limit=10)
    assert last.event.answer == "Grüner Tee."


async def test_a_stream_that_fails_ends_without_done_and_is_not_recorded(app):
    app.answerer.failing = True
    answer = await app.post(PATH, {"query": "What?", "stream": True})
    assert answer.status_code == 200
    assert answer.content == (
        b'data: {"delta": {"content": "Tea."}, "done": false}\n\n'
    )
    assert "question-answered" not in await app.recorded()


async def test_a_stream_of_nobody_is_an_error_in_json(app):
    sent = {"query": "What?", "stream": True, "target": "ghost"}
    answer = await app.post(PATH, sent)
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "Peer ghost not found in workspace acme"},
    )


async def test_evidence_is_there_only_if_it_is_asked_for(app):
    sent = {"query": "What?", "include_evidence": True}
    answer = (await app.post(PATH, sent)).json()
    record = answer["evidence"].pop("reasoning_trace_id")
    assert len(record) == 21
    assert answer == {
        "content": "Tea.",
        "evidence": {"conclusions": [], "messages": [], "tool_calls": []},
    }
    streamed = await app.post(PATH, {**sent, "stream": True})
    last = streamed.text.strip().splitlines()[-1]
    assert last.startswith('data: {"done": true, "evidence": {"conclusions": []')


async def test_a_stream_asked_again_under_its_key_is_told_from_its_record(app):
    sent = {"query": "What?", "stream": True}
    first = await app.post(PATH, sent, idempotency_key="k")
    again = await app.post(PATH, sent, idempotency_key="k")
    assert first.content == again.content
    assert len(app.answerer.asked) == 1


async def test_all_of_a_workspace_may_be_asked(app):
    answer = await app.post("/acme/chat", {"query": "What?"})
    assert (answer.status_code, answer.json()) == (200, {"content": "Tea."})
    [asked] = app.answerer.asked
    assert (asked.peer, asked.target) == (None, None)
    assert await app.recorded() == ["workspace-created", "question-answered"]
    [*_, last] = await app.store.read_log(after=0, limit=10)
    assert (last.event.peer, last.event.target) == ("*", "*")
    streamed = await app.post("/acme/chat", {"query": "What?", "stream": True})
    assert streamed.text.endswith('data: {"done": true}\n\n')


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 422),
        ({"query": ""}, 422),
        ({"query": "x", "stream": None}, 422),
        ({"query": "x", "reasoning_level": None}, 422),
        ({"query": "x", "reasoning_level": "extreme"}, 422),
        ({"query": "x", "response_format": []}, 422),
        ({"query": "x", "scope": []}, 422),
        ({"query": "x", "scope": "a b"}, 422),
        ({"query": "x", "session_id": "nope"}, 404),
        ({"query": "x", "session_id": "a\x00"}, 404),
        ({"query": "x", "scope": "work"}, 404),
        ({"query": "x", "response_format": {}}, 422),
    ],
)
async def test_a_workspaces_chat_checks_what_it_is_sent(app, sent, status):
    assert (await app.post("/acme/chat", sent)).status_code == status
    assert await app.recorded() == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [PATH, "/acme/chat"])
async def test_memory_is_asked_as_of_a_moment_and_answered_now(app, path, stream):
    await app.post("/acme/peers", {"id": "ann"})
    for moment, position in (("1", 1), ("2026-01-01T00:00:00Z", 7)):
        sent = {"query": f"What at {position}?", "stream": stream}
        answer = await app.post(f"{path}?as_of={moment}", sent)
        assert answer.status_code == 200
        assert app.answerer.asked[-1].as_of == position
        head = await app.store.head()
        [last] = await app.store.read_log(after=head - 1, limit=1)
        assert (last.event.question, last.event.as_of) == (sent["query"], position)
        assert stream or int(answer.headers["x-position"]) == head


@pytest.mark.parametrize("moment", ["yesterday", "-1", "2026-01-01T00:00:00"])
async def test_what_is_no_moment_is_refused_where_it_was_said(app, moment):
    answer = await app.post(f"{PATH}?as_of={moment}", {"query": "What?"})
    assert answer.status_code == 422
    [item] = answer.json()["detail"]
    assert item["loc"] == ["query", "as_of"]
    assert app.answerer.asked == []


async def test_a_key_used_for_another_moment_is_used_twice(app):
    sent = {"query": "What?"}
    first = await app.post(f"{PATH}?as_of=1", sent, Idempotency_Key="k")
    again = await app.post(f"{PATH}?as_of=1", sent, Idempotency_Key="k")
    other = await app.post(f"{PATH}?as_of=2", sent, Idempotency_Key="k")
    assert [first.status_code, again.status_code, other.status_code] == [200, 200, 422]
    assert len(app.answerer.asked) == 1
