"""A rebuild, and the server beside it, are killed with -9; nothing is lost by it."""

import json
import signal
from pathlib import Path

import pytest

from tests.support.command import Shell, finished, until
from tests.support.load import Load, assert_said
from tests.support.server import Server, descendants
from tests.support.stopped import rebuilt_equals_live

MESSAGES = 12_000
"""Enough that shards are folded in processes of their own."""

QUIET = {"DERIVER_ENABLED": "false", "EMBED_MESSAGES": "false"}

REBUILD = ("rebuild", "--all", "--json")

STAGES = ("messages", "views", "index")
"""In this order, among others."""


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "data", environment=QUIET)
    server.start()
    yield server
    if server.process.poll() is None:
        server.stop()


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


def started(shell, server, stage):
    """Start a rebuild and wait until it is at a stage, or beyond where it goes on."""
    process = shell.start(*REBUILD, "--data", str(server.data))
    for line in process.stdout:
        if json.loads(line).get("stage") in STAGES[STAGES.index(stage) :]:
            return process
    raise AssertionError(finished(process))


def test_killed_at_any_stage_it_goes_on_beside_a_server_that_writes(shell, server):
    load = Load(server, MESSAGES)
    load.start()
    load.until_acknowledged(MESSAGES - 1_000)
    for stage in ("messages", "messages", "views", "index"):
        process = started(shell, server, stage)
        below = descendants(process.pid)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        until(lambda below=below: not any(map(alive, below)))
    ended = shell.run(*REBUILD, "--data", str(server.data))
    report = json.loads(ended.out.splitlines()[-1])
    assert report["resumed"] > 0, ended
    assert report["differences"] == []
    load.finish()
    assert_said(server, load)
    assert server.stop() == 0
    rebuilt_equals_live(server.data)


def alive(pid):
    """Whether a process still runs; a dead one may not have been waited for yet."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_everything_below_it_killed_it_says_so_and_goes_on_later(shell, server):
    load = Load(server, MESSAGES)
    load.start()
    load.until_acknowledged(MESSAGES - 1_000)
    process = started(shell, server, "messages")
    server.kill_everything()
    ended = finished(process)
    assert ended.code == 2, ended
    assert "run it again" in ended.err
    server.start()
    load.finish()
    again = shell.run(*REBUILD, "--data", str(server.data))
    assert again.code == 0, again
    assert json.loads(again.out.splitlines()[-1])["differences"] == []
    assert_said(server, load)
    assert server.stop() == 0
    rebuilt_equals_live(server.data)
