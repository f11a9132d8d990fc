"""The published Python SDK, nothing changed but ``base_url``."""

import contextlib
import time
import uuid

import pytest
from honcho import Honcho

from tests.support.server import Server
from tests.support.stopped import rebuilt_equals_live


@contextlib.contextmanager
def connected(server, workspace):
    """The SDK's client; closed, for it leaves its sockets to the collector."""
    client = Honcho(base_url=server.url, workspace_id=workspace)
    yield client
    client._http.close()


@pytest.fixture
def honcho(server):
    with connected(server, f"sdk-{uuid.uuid4().hex[:8]}") as client:
        yield client


def until_processed(honcho, bound=90):
    deadline = time.monotonic() + bound
    while time.monotonic() < deadline:
        status = honcho.queue_status()
        if status.pending_work_units == status.in_progress_work_units == 0:
            return status
        time.sleep(0.02)
    raise AssertionError(status)


def test_the_ten_lines_of_the_readme(honcho):
    alice, tutor = honcho.peer("alice"), honcho.peer("tutor")
    session = honcho.session("math-homework")
    session.add_messages(
        [
            alice.message("I need help with my math homework."),
            tutor.message("Of course! How do you like to learn?"),
            alice.message("I learn best from pictures and worked examples."),
            alice.message("I don't like flash cards."),
        ]
    )
    status = until_processed(honcho)
    assert status.completed_work_units == status.total_work_units == 4

    answer = alice.chat("What learning styles does the user respond to best?")
    assert "pictures" in answer
    context = session.context(summary=True, tokens=10_000)
    assert [m.content for m in context.messages][2].startswith("I learn best")
    spoken = context.to_openai(assistant=tutor)
    assert [m["role"] for m in spoken if m["role"] != "system"].count("assistant") == 1
    found = alice.search("Math Homework")
    assert found[0].content == "I need help with my math homework."
    representation = session.representation(alice)
    assert "## Explicit Observations" in representation
    assert "alice" in representation
    assert "flash cards" in representation


def test_nothing_is_known_is_said_plainly(honcho):
    bob = honcho.peer("bob")
    answer = bob.chat("Where did bob grow up?")
    assert "nothing" in answer.lower() or "not known" in answer.lower()


def test_a_second_start_continues_where_it_stood(tmp_path):
    server = Server(tmp_path / "data")
    server.start()
    with connected(server, "again") as honcho:
        session = honcho.session("s")
        session.add_messages([honcho.peer("ann").message("I live in Ghent.")])
        until_processed(honcho)
        assert server.stop() == 0
        server.start()
        assert [m.content for m in session.messages()] == ["I live in Ghent."]
        session.add_messages([honcho.peer("ann").message("I have two cats.")])
        until_processed(honcho)
        assert "Ghent" in session.representation("ann")
        assert "cats" in session.representation("ann")
    assert server.stop() == 0
    rebuilt_equals_live(server.data)
