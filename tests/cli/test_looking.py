"""Commands that look: beside a running server, and when it is stopped."""

import json

import pytest

from tests.support.command import until
from tests.support.ports import free_port
from tests.support.saying import MARKER, nothing_lags, say


def at(server):
    return ("--data", str(server.data))


def look(looking, school):
    """What holds whether the server runs or not."""
    status = looking.run("status", "--json", *at(school))
    now = json.loads(status.out)
    assert status.code == 0
    assert now["head"] > 0
    assert {"conclusions", "derive-conclusions"} & {c["name"] for c in now["consumers"]}
    assert {c["lag_events"] for c in now["consumers"]} == {0}

    traced = looking.run("trace", school.said, "--json", *at(school))
    story = json.loads(traced.out)
    types = [record["type"] for record in story]
    assert "message-added" in types
    assert "conclusion-derived" in types
    concluded = story[types.index("conclusion-derived")]["event"]
    assert MARKER in concluded["content"]

    asked = looking.run("why", concluded["id"], "--json", *at(school))
    told = json.loads(asked.out)
    assert told["kind"] == "conclusion"
    [quoted] = told["story"]["messages"]
    assert (quoted["id"], MARKER in quoted["content"]) == (school.said, True)
    led = json.loads(looking.run("why", school.said, "--json", *at(school)).out)
    assert concluded["id"] in {each["id"] for each in led["story"]["conclusions"]}

    page = looking.run("events", "--json", "--limit", "3", *at(school))
    lines = [json.loads(line) for line in page.out.splitlines()]
    assert [line["position"] for line in lines] == [1, 2, 3]

    waiting = looking.run("park", "list", "--json", *at(school))
    assert json.loads(waiting.out) == []
    return concluded["id"]


def test_beside_a_running_server(looking, school):
    conclusion = look(looking, school)
    for word in ("trace", "why"):
        shown = looking.run(word, conclusion, *at(school))
        assert shown.code == 0
        assert MARKER in shown.out
        assert "\x1b" not in shown.out


def test_what_is_not_there_is_said_in_one_line(looking, school):
    for words in (
        ("trace", "unknown"),
        ("why", "unknown"),
        ("why", "-begins-with-a-dash"),
        ("trace", "-begins-with-a-dash"),
        ("trace", "\N{SNOWMAN}"),
        ("park", "retry", "derive-conclusions", "nobody"),
        ("park", "skip", "nobody", "nothing"),
    ):
        ended = looking.run(*words, *at(school))
        assert (ended.code, ended.out) == (1, ""), ended
        assert len(ended.err.splitlines()) == 1, ended
    beyond = looking.run("events", "--after", "1000000", *at(school))
    assert (beyond.code, beyond.out, beyond.err) == (0, "", "")


def test_what_needs_the_folder_alone_is_refused(looking, school):
    words = ("up", "--port", str(free_port()))
    assert "in use" in looking.run(*words, *at(school)).refusal


def test_views_are_folded_anew_beside_the_server(looking, school):
    ended = looking.run("rebuild", "--all", "--json", *at(school))
    assert ended.code == 0, ended
    report = json.loads(ended.out.splitlines()[-1])
    assert report["events"] > 0
    assert "conclusions" in report["projections"]
    assert (report["differences"], report["added"]) == ([], [])
    say(school.url, "I moved to Liege.", "t")  # the server goes on in new tables
    until(lambda: nothing_lags(looking, school))
    look(looking, school)
    shown = looking.run("rebuild", "lexicon", "evidence", *at(school))
    assert "folded too, for they belong together: messages" in shown.out
    assert "was not as the log says" not in shown.out
    for words, told in {
        ("rebuild",): "name projections",
        ("rebuild", "nothing"): "no projection nothing; there are workspaces",
    }.items():
        ended = looking.run(*words, *at(school))
        assert (ended.code, told in " ".join(ended.err.split())) == (2, True), ended


def test_no_log_holds_what_was_said(school):
    assert MARKER not in school.log()
    assert MARKER not in (school.data / "postgres.log").read_text()


@pytest.fixture(scope="module")
def stopped(school):
    assert school.stop() == 0
    return school


def test_when_the_server_is_stopped(looking, stopped):
    look(looking, stopped)


def test_rebuild_folds_every_view_anew(looking, stopped):
    ended = looking.run("rebuild", "--all", "--json", *at(stopped))
    assert ended.code == 0, ended
    assert json.loads(ended.out.splitlines()[-1])["events"] > 0
    shown = looking.run("status", *at(stopped))
    assert "head of the log" in shown.out
    assert not (stopped.data / "postgres.pid").exists()
