"""Everything is killed with -9 during a load, several times; nothing is lost."""

import contextlib
import time

import pytest

from tests.support.load import Load, assert_there_once
from tests.support.server import Server, descendants
from tests.support.stopped import rebuilt_equals_live


@pytest.mark.parametrize(
    ("messages", "kills"),
    [(5_000, 4), pytest.param(20_000, 12, marks=pytest.mark.long)],
)
def test_every_acknowledged_message_is_there_and_derived_once(
    tmp_path, messages, kills
):
    """The last kill hits the reasoning about what was said; one hits a start."""
    with _server(tmp_path / "data") as server:
        load = Load(server, messages)
        load.start()
        for kill in range(1, kills + 1):
            load.until_acknowledged(messages * kill // kills)
            server.kill_everything()
            if kill == kills // 2:
                _kill_in_a_start(server)
            server.start()
        load.finish()
        assert_there_once(server, load)
    rebuilt_equals_live(server.data)


def test_a_killed_server_leaves_a_postgres_that_the_next_one_takes_over(tmp_path):
    with _server(tmp_path / "data") as server:
        load = Load(server, 1_000)
        load.start()
        for count in (300, 700):
            load.until_acknowledged(count)
            server.process.kill()
            server.process.wait()
            server.start()
        load.finish()
        assert_there_once(server, load)
    rebuilt_equals_live(server.data)


def _kill_in_a_start(server):
    server.launch()
    deadline = time.monotonic() + 120
    while not descendants(server.process.pid):
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.002)
    server.kill_everything()


@contextlib.contextmanager
def _server(data):
    server = Server(data)
    server.start()
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
