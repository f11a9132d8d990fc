"""Killed with -9 while checkpoints are signed all the time: none is half a one."""

import json
import time

import pytest

from tests.support.command import Shell
from tests.support.load import Load, assert_there_once
from tests.support.server import Server
from tests.support.stopped import rebuilt_equals_live

KILLS = 2
EVERYTHING = {"CHECKPOINT_SECONDS": "0.001"}


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "data", environment=EVERYTHING)
    server.start()
    yield server
    if server.process.poll() is None:
        assert server.stop() == 0
    rebuilt_equals_live(server.data)


def test_what_is_signed_is_in_the_log_whenever_it_is_killed(server, tmp_path):
    shell, signed = Shell(tmp_path), tmp_path / "signed.jsonl"
    load = Load(server, 600)
    load.start()
    for kill in range(1, KILLS + 1):
        load.until_acknowledged(600 * kill // (KILLS + 1))
        beside = shell.run("checkpoint", "--data", str(server.data))
        assert beside.code == 0, beside
        with signed.open("a") as file:
            file.write(beside.out)
        server.kill_everything()
        server.start()
    load.finish()
    assert_there_once(server, load)
    newest = _newest(shell, server)
    deadline = time.monotonic() + 120
    while newest["position"] < _head(shell, server):
        assert time.monotonic() < deadline, "the newest events are not signed"
        newest = _newest(shell, server)
    key = ("--public-key", newest["public_key"])
    words = ("--log-only", "--against", str(signed), *key)
    ended = shell.run("verify", "--json", *words, "--data", str(server.data))
    report = json.loads(ended.out)
    assert (ended.code, report["ok"], report["against"]) == (0, True, []), report
    assert len(report["signed"]["keys"]) == 1  # no start made another
    assert report["signed"]["checkpoints"] > KILLS


def _newest(shell, server):
    return json.loads(shell.run("checkpoint", "--data", str(server.data)).out)


def _head(shell, server):
    status = shell.run("status", "--json", "--data", str(server.data))
    return json.loads(status.out)["head"]
