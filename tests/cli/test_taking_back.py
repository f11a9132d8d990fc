"""The commands that take back, beside a running server and without one."""

import json

import httpx
import pytest

from tests.support.command import until
from tests.support.saying import say
from tests.support.server import Server
from tests.support.stopped import rebuilt_equals_live

WORDS = "I live in Ghent."


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("taking") / "data")
    server.start()
    try:
        server.said = say(server.url, WORDS)
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
    rebuilt_equals_live(server.data)


def held(server):
    """Return what is held, by id."""
    url = f"{server.url}/v3/workspaces/w/conclusions/list"
    return {e["id"]: e["content"] for e in httpx.post(url, timeout=120).json()["items"]}


def found(server):
    """Return the messages a search finds."""
    url = f"{server.url}/v3/workspaces/w/search"
    return [
        each["id"]
        for each in httpx.post(url, json={"query": "Ghent"}, timeout=120).json()
    ]


def told(looking, server, *words):
    ended = looking.run(*words, "--json", "--data", str(server.data))
    assert ended.code == 0, ended
    return json.loads(ended.out)


def test_beside_a_running_server(looking, served):
    before = held(served)
    [conclusion] = before
    shown = told(looking, served, "retract", conclusion, "--dry-run")
    assert shown["unit"] is None
    assert held(served) == before
    done = told(looking, served, "retract", conclusion, "--why", "wrong")
    assert done["conclusions"] == shown["conclusions"]
    assert held(served) == {}
    [unit] = httpx.get(f"{served.url}/v3/workspaces/w/retractions", timeout=120).json()[
        "items"
    ]
    assert (unit["unit"], unit["actor"]) == (done["unit"], "operator")
    assert unit["reason"] == "wrong"
    undone = told(looking, served, "undo", done["unit"])
    assert undone["reinstated"] == [conclusion]
    assert held(served) == before

    right = told(looking, served, "correct", conclusion, "alice lives in Liège")
    assert list(held(served).values()) == ["alice lives in Liège"]
    told(looking, served, "undo", right["unit"])
    assert held(served) == before


def test_a_quarantine_is_shown_first_and_undone_as_one(looking, served):
    before = held(served)
    by = ("quarantine", "-w", "w", "--peer", "alice")
    shown = told(looking, served, *by)
    assert shown["unit"] is None
    assert held(served) == before
    done = told(looking, served, *by, "--yes")
    assert done | {"unit": None, "position": 0} == shown | {"position": 0}
    assert (held(served), found(served)) == ({}, [])
    told(looking, served, "undo", done["unit"])
    assert (held(served), found(served)) == (before, [served.said])

    asked = looking.run(*by, "--data", str(served.data))
    assert (asked.code, "Ghent" in asked.out) == (1, True), asked
    assert held(served) == before


def test_what_cannot_be_is_said_in_one_line(looking, served):
    at = ("--data", str(served.data))
    for words in (("retract", "nothing"), ("undo", "nothing"), ("correct", "-x", "y")):
        ended = looking.run(*words, *at)
        assert (ended.code, len(ended.err.splitlines())) == (1, 1), ended
    for words in (("-w", "w"), ("-w", "w", "--peer", "nobody", "--yes")):
        ended = looking.run("quarantine", *words, *at)
        assert (ended.code, len(ended.err.splitlines())) == (1, 1), ended
    ended = looking.run("quarantine", "-w", "w", "--metadata", "novalue", *at)
    assert ended.code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("correct", "x", ""),
        ("correct", "x", " "),
        ("correct", "x", "\udcff"),
        ("retract", "\udcff"),
        ("retract", "x", "--why", "\udcff"),
        ("retract", "x", "--why", "y" * 1_001),
        ("undo", "\udcff"),
        ("quarantine", "-w", "\udcff", "--peer", "a"),
        ("quarantine", "-w", "w", "--engine", "\udcff"),
        ("quarantine", "-w", "w", "--metadata", "a=\udcff"),
        ("quarantine", "-w", "w", "--peer", "a", "--why", "y" * 1_001),
    ],
)
def test_words_that_cannot_be_stored_are_refused(looking, served, words):
    ended = looking.run(*words, "--data", str(served.data))
    assert (ended.code, "Traceback" in ended.err) == (2, False), ended
    assert "Invalid value" in ended.err


def test_without_a_server_the_command_folds_the_views_itself(looking, served):
    [conclusion] = held(served)
    assert served.stop() == 0
    done = told(looking, served, "retract", conclusion)
    assert [each["id"] for each in done["conclusions"]] == [conclusion]
    ended = looking.run("retract", conclusion, "--data", str(served.data))
    assert ended.code == 1
    told(looking, served, "undo", done["unit"])
    served.start()
    until(lambda: conclusion in held(served))
