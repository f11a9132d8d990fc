"""Every sub-command of the published ``honcho-cli`` with ``--json`` (HC 7.3, 11.4).

One story, told in order on one workspace; the last test says what it left out.
"""

import json
import secrets
import time

import jwt
import pytest

from tests.e2e.cli.terminal import (
    RefusedError,
    at_a_terminal,
    settings_of,
    terminal,
)
from tests.support.servers import JWT_SECRET

LOCAL_STACKS = {"start", "stop", "status"}
"""They run Honcho's own containers; no server is asked anything."""


@pytest.fixture(scope="module")
def honcho(open_server, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with terminal(settings_of(home, open_server.url)) as honcho:
        yield honcho


@pytest.fixture(scope="module")
def w():
    return f"cli-{secrets.token_hex(4)}"


@pytest.fixture(scope="module")
def said(honcho, w):
    """A workspace in which Ann spoke in two sessions; the messages' ids."""
    assert (
        honcho("workspace", "create", w, "--metadata", '{"a": 1}')["workspace_id"] == w
    )
    honcho("session", "create", "s", "-w", w, "--peers", "ann,bob")
    ids = [
        honcho("message", "create", text, "-p", "ann", "-s", "s", "-w", w)["id"]
        for text in ("I live in Ghent.", "I drink green tea every morning.")
    ]
    honcho(
        "message", "create", "I have two cats.", "-p", "ann", "-s", "t", "-w", w,
        "--metadata", '{"mood": "good"}',
    )  # fmt: skip
    deadline = time.monotonic() + 90
    while honcho("workspace", "queue-status", "-w", w)["pending_work_units"]:
        assert time.monotonic() < deadline
    while len(honcho("conclusion", "search", "tea", "-w", w, "-p", "ann")) < 3:
        assert time.monotonic() < deadline
    return ids


def test_config_and_init(honcho, open_server):
    assert honcho("config")["base_url"] == open_server.url
    given = ("--api-key", "sesame-1234", "--base-url", open_server.url)
    done = honcho("init", *given)
    assert done == {"apiKey": "***1234", "baseUrl": open_server.url}


@pytest.mark.usefixtures("said")
def test_workspaces(honcho, w):
    assert {"id": w} in honcho("workspace", "list")
    told = honcho("workspace", "inspect", w)
    assert told == honcho("workspace", "inspect", "-w", w)
    assert (told["workspace_id"], told["metadata"]) == (w, {"a": 1})
    assert (told["peer_count"], told["session_count"]) == (2, 2)
    assert {each["id"] for each in told["sessions"]} == {"s", "t"}
    found = honcho("workspace", "search", "cats", "-w", w, "--limit", "5")
    assert [(each["peer_id"], each["session_id"]) for each in found][:1] == [
        ("ann", "t")
    ]
    status = honcho("workspace", "queue-status", "-w", w)
    assert status["completed_work_units"] == status["total_work_units"] == 3
    of_one = ("-s", "s", "--sender", "ann", "--observer", "ann")
    assert (
        honcho("workspace", "queue-status", "-w", w, *of_one)["total_work_units"] == 2
    )


def test_doctor(honcho):
    told = honcho("doctor")
    assert told["passed"] == told["total"] == 3


@pytest.mark.usefixtures("said")
def test_peers(honcho, w):
    at = ("-w", w)
    listed = honcho("peer", "list", *at)
    assert {each["id"] for each in listed} == {"ann", "bob"}
    made = honcho(
        "peer", "create", "cid", *at, "--no-observe-me", "--metadata", '{"b": 2}'
    )
    assert made["peer_id"] == "cid"
    assert honcho("peer", "get-metadata", "cid", *at)["metadata"] == {"b": 2}
    honcho("peer", "set-metadata", '{"b": 3}', "-p", "cid", *at)
    assert honcho("peer", "get-metadata", "-p", "cid", *at)["metadata"] == {"b": 3}
    told = honcho("peer", "inspect", "ann", *at)
    assert told == honcho("peer", "inspect", "-p", "ann", *at)
    assert "Ghent" in str(told)
    card = honcho("peer", "card", "ann", "--target", "bob", *at)
    assert card == {"peer_id": "ann", "target": "bob", "card": None}
    assert honcho("peer", "card", "-p", "ann", *at)["card"] is None
    (found,) = honcho("peer", "search", "cats", "-p", "ann", "--limit", "1", *at)
    assert found["content"] == "I have two cats."
    text = honcho("peer", "representation", "ann", *at)["representation"]
    assert "Ghent" in text
    narrow = honcho(
        "peer", "representation", "-p", "ann", "-s", "t", "--target", "ann",
        "--search-query", "pets", "--max-conclusions", "1", *at,
    )  # fmt: skip
    assert "cats" in narrow["representation"]
    assert "Ghent" not in narrow["representation"]


def test_sessions(honcho, w, said):
    at = ("-w", w)
    assert [each["id"] for each in honcho("session", "list", *at)] == ["s", "t"]
    of_bob = honcho("session", "list", "-p", "bob", *at)
    assert [each["id"] for each in of_bob] == ["s"]
    honcho("session", "create", "u", *at, "--metadata", '{"c": 3}')
    assert honcho("session", "get-metadata", "u", *at)["metadata"] == {"c": 3}
    honcho("session", "set-metadata", "u", "-d", '{"c": 4}', *at)
    honcho("session", "set-metadata", "-s", "u", "-d", '{"c": 5}', *at)
    assert honcho("session", "get-metadata", "-s", "u", *at)["metadata"] == {"c": 5}
    honcho("session", "add-peers", "u", "ann", "bob", *at)
    honcho("session", "remove-peers", "u", "bob", *at)
    assert [each["id"] for each in honcho("session", "peers", "u", *at)] == ["ann"]
    assert len(honcho("session", "peers", "-s", "s", *at)) == 2
    told = honcho("session", "inspect", "s", *at)
    assert told == honcho("session", "inspect", "-s", "s", *at)
    assert (told["session_id"], told["message_count"]) == ("s", 2)
    context = honcho("session", "context", "s", "--tokens", "1000", *at)
    assert len(context["messages"]) == 2
    brief = honcho("session", "context", "-s", "s", "--no-summary", *at)
    assert brief["summary"] is None
    assert honcho("session", "summaries", "s", *at)["short_summary"] is None
    assert honcho("session", "summaries", "-s", "s", *at)["session_id"] == "s"
    (found,) = honcho("session", "search", "tea", "s", "--limit", "1", *at)
    assert found["id"] == said[1]
    assert honcho("session", "search", "tea", "-s", "s", *at)[0] == found
    text = honcho("session", "representation", "ann", "s", *at)["representation"]
    assert "Ghent" in text
    narrow = honcho(
        "session", "representation", "ann", "-s", "s", "--target", "ann",
        "--search-query", "drinks", "--max-conclusions", "1", *at,
    )  # fmt: skip
    assert "tea" in narrow["representation"]
    assert honcho("session", "delete", "u", "--yes", *at) == {"deleted": "u"}
    honcho("session", "create", "v", *at)
    assert honcho("session", "delete", "-s", "v", "-y", *at) == {"deleted": "v"}


@pytest.mark.usefixtures("said")
def test_a_transcript_is_viewed_and_nothing_created(honcho, w):
    at = ("-w", w)

    def viewed(*options):
        told = honcho("session", "view", "s", *options, *at)
        return [each["content"] for each in told]

    both = ["I live in Ghent.", "I drink green tea every morning."]
    assert viewed() == viewed("--all") == both
    assert viewed("--reverse", "--ids") == both[::-1]
    assert viewed("--last", "1") == both[1:]
    assert viewed("--page", "2", "--size", "1") == both[1:]
    assert viewed("-p", "bob") == []
    assert honcho("session", "view", "-s", "nowhere", *at) == []
    assert [each["id"] for each in honcho("session", "list", *at)] == ["s", "t"]


def test_messages(honcho, w, said):
    at = ("-w", w)
    listed = honcho("message", "list", "s", *at)
    assert [each["id"] for each in listed] == said
    newest = honcho("message", "list", "-s", "s", "--reverse", "--brief", *at)
    assert [each["id"] for each in newest] == said[::-1]
    assert "content" not in newest[0]
    last = honcho("message", "list", "s", "--last", "1", "-p", "ann", *at)
    assert [each["id"] for each in last] == said[1:]
    got = honcho("message", "get", said[0], "-s", "s", *at)
    assert got["content"] == "I live in Ghent."


@pytest.mark.usefixtures("said")
def test_conclusions(honcho, w):
    at = ("-w", w)
    made = honcho("conclusion", "create", "ann likes trains", "-p", "ann", *at)
    about_bob = honcho(
        "conclusion", "create", '{"content": "bob is tall"}', "--observer", "ann",
        "--observed", "bob", "-s", "s", *at,
    )  # fmt: skip
    listed = honcho("conclusion", "list", "-p", "ann", "--level", "explicit", *at)
    assert listed[0]["id"] == made["id"]
    assert len(listed) == 4
    pair = ("--observer", "ann", "--observed", "bob")
    (of_bob,) = honcho("conclusion", "list", *pair, "--limit", "5", *at)
    assert (of_bob["id"], of_bob["content"]) == (about_bob["id"], "bob is tall")
    found = honcho(
        "conclusion", "search", "railways", "-p", "ann", "--top-k", "1",
        "--level", "explicit", *at,
    )  # fmt: skip
    assert [each["id"] for each in found] == [made["id"]]
    assert honcho("conclusion", "search", "tall", *pair, *at)[0]["id"] == of_bob["id"]
    got = honcho("conclusion", "get", made["id"], of_bob["id"], *at)
    assert {each["id"] for each in got} == {made["id"], of_bob["id"]}
    assert honcho("conclusion", "derived", made["id"], "--limit", "3", *at) == []
    from_made = ("--derived-from", made["id"])
    assert honcho("conclusion", "list", "-p", "ann", *from_made, *at) == []
    honcho("conclusion", "delete", made["id"], "-p", "ann", "--yes", *at)
    honcho("conclusion", "delete", of_bob["id"], *pair, "-y", *at)
    assert len(honcho("conclusion", "list", "-p", "ann", *at)) == 3


@pytest.mark.usefixtures("said")
def test_scopes_and_chats(honcho, w):
    at = ("-w", w)
    honcho("scope", "create", "trip", "--sessions", "s", "--metadata", '{"d": 4}', *at)
    assert [each["id"] for each in honcho("scope", "list", *at)] == ["trip"]
    honcho("scope", "add-sessions", "trip", "t", *at)
    members = honcho("scope", "sessions", "trip", *at)
    assert [each["id"] for each in members] == ["s", "t"]
    honcho("scope", "remove-session", "trip", "t", *at)
    told = honcho("scope", "inspect", "trip", *at)
    assert (told["metadata"], told["sessions"]) == ({"d": 4}, ["s"])
    assert "completed" in str(honcho("scope", "status", "trip", *at))
    asked = "Where does ann live?"
    answer = honcho("peer", "chat", asked, "-p", "ann", *at)["response"]
    assert "Ghent" in answer
    only = honcho("peer", "chat", asked, "-p", "ann", "--scope", "trip", *at)
    assert "cats" not in only["response"]
    there = honcho("peer", "chat", asked, "-p", "ann", "--sessions", "t", *at)
    assert "Ghent" not in there["response"]
    proven = honcho(
        "peer", "chat", asked, "-p", "bob", "--target", "ann", "-s", "s",
        "--reasoning", "minimal", "--evidence", *at,
    )  # fmt: skip
    assert "evidence" in proven
    assert "Ghent" in honcho("workspace", "chat", asked, *at)["response"]
    proven = honcho(
        "workspace", "chat", asked, "-s", "s", "-r", "high", "--evidence", *at
    )
    assert proven["evidence"]["conclusions"]
    only = honcho("workspace", "chat", asked, "--scope", "trip", *at)
    assert "Ghent" in only["response"]


@pytest.mark.usefixtures("said")
def test_what_is_refused_is_told_by_its_kind(honcho, w):
    with pytest.raises(RefusedError) as missing:
        honcho("message", "get", "nothing", "-s", "s", "-w", w)
    assert missing.value.error["code"].endswith("NOT_FOUND")
    with pytest.raises(RefusedError) as active:
        honcho("workspace", "delete", w, "--yes")
    assert "active session(s) remain" in active.value.error["message"]


def test_keys_are_wanted(guarded_server, tmp_path, w):
    admin = jwt.encode({"t": "", "ad": True}, JWT_SECRET, algorithm="HS256")
    scoped = {"HONCHO_WORKSPACE_ID": w, "HONCHO_PEER_ID": "ann"}
    known = settings_of(tmp_path, guarded_server.url, HONCHO_API_KEY=admin, **scoped)
    with terminal(known) as honcho:
        honcho("init")
        honcho("peer", "create", "ann")
        told = honcho("doctor")
        assert told["passed"] == told["total"] == 6
        names = [each["check"] for each in told["checks"]]
        assert names[3:] == ["Workspace reachable", "Queue health", "Peer exists"]
    unknown = settings_of(tmp_path, guarded_server.url, HONCHO_API_KEY="no", **scoped)
    with terminal(unknown) as honcho:
        with pytest.raises(RefusedError) as refused:
            honcho("workspace", "list")
        assert refused.value.error["code"] == "AUTH_ERROR"


@pytest.mark.usefixtures("said")
def test_a_workspace_goes_with_all_its_sessions(honcho, w):
    planned = honcho("workspace", "delete", w, "--dry-run", "--cascade")
    assert planned["session_ids"] == ["s", "t"]
    done = honcho("workspace", "delete", w, "--cascade", "--yes")
    assert done["status"] == "accepted"
    assert done["deleted_sessions"] == ["s", "t"]


def test_at_a_terminal_init_offers_no_login_by_browser(open_server, tmp_path):
    """It probes for OAuth, which is not served, and asks for a key instead."""
    environment = settings_of(tmp_path, open_server.url)
    asked = at_a_terminal(["init"], environment, ["", "1", "sesame-1234"])
    assert "browser" not in asked
    assert "Connected" in asked
    written = json.loads((tmp_path / "honcho" / "config.json").read_text())
    assert written == {"apiKey": "sesame-1234", "environmentUrl": open_server.url}


def test_nothing_was_left_out(honcho):
    assert honcho.never_used() == LOCAL_STACKS
