"""With FEED_TYPE=kafka views come by way of the topic: erased, and equal."""

import contextlib
import json
import os
import subprocess
import time

import httpx
import pytest

from tests.support.kafka import environment_apart, variables
from tests.support.remains import found_in
from tests.support.server import STOPPED_WITHIN, palimpsest, running
from tests.support.stopped import rebuilt_equals_live

pytestmark = pytest.mark.kafka

MARKER = "xyzzyquux"
WITHIN = 60.0
AT = "/v3/workspaces/school"


@contextlib.contextmanager
def relayed(data, environment):
    """Run a relay beside the server, whoever of the two leads."""
    with (data.parent / "relay.log").open("ab") as log:
        process = subprocess.Popen(
            palimpsest("relay", "run", "--data", str(data)),
            stdout=log,
            stderr=log,
            env=os.environ | environment,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(STOPPED_WITHIN)


def until(look, expected):
    """Look until it is as expected, in bounds; return the last look."""
    deadline = time.monotonic() + WITHIN
    while not expected(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)
    return seen


def commanded(environment, *words):
    """Run a command; return its exit code and what it said as JSON."""
    done = subprocess.run(
        palimpsest(*words, "--json"),
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def tell(api, session, *texts):
    said = [{"peer_id": "alice", "content": text} for text in texts]
    api.post(f"{AT}/sessions", json={"id": session, "peers": {"alice": {}}})
    answer = api.post(f"{AT}/sessions/{session}/messages", json={"messages": said})
    assert answer.status_code == 201


def found(api, query):
    """What the views behind a search, which lag, know of it."""
    alice = {"observer_id": "alice", "observed_id": "alice"}
    asked = {"query": query, "top_k": 50, "filters": alice}
    answer = api.post(f"{AT}/conclusions/query", json=asked)
    assert answer.status_code == 200
    return answer.text


def test_views_by_way_of_the_topic_equal_a_rebuild_and_keep_nothing_erased(
    kafka, tmp_path
):
    data = tmp_path / "data"
    environment = variables(environment_apart(kafka)) | {"DELETION_GRACE_SECONDS": "1"}
    with running(data, environment) as server, relayed(data, environment):
        with httpx.Client(base_url=server.url, timeout=120) as api:
            tell(api, "s", f"I love {MARKER}.", "I row.")
            tell(api, "other", "I love tea.", "I live in Lima.")
            until(lambda: found(api, "love"), lambda it: MARKER in it and "tea" in it)
            assert api.delete(f"{AT}/sessions/s").status_code == 202
            until(
                lambda: api.post(f"{AT}/sessions", json={"id": "s"}).status_code,
                lambda status: status != 404,
            )
            tell(api, "s", "I love coffee.")
            seen = until(lambda: found(api, "love"), lambda it: "coffee" in it)
            assert MARKER not in seen
        place = ("--data", str(data))
        verified = lambda: commanded(environment, "relay", "verify", *place)  # noqa: E731
        ended, told = until(verified, lambda it: it[1]["behind"] == 0)
        assert (ended, told["topics"][0]["wrong"]) == (0, {})
    assert found_in(data, MARKER) == []
    rebuilt_equals_live(data)
