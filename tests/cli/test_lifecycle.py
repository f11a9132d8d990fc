"""``palimpsest up`` from its first moment to its last: signals, kills, lost parts."""

import asyncio
import signal
import threading
from pathlib import Path

import asyncpg
import httpx
import pytest

from infra.postgres.embedded import running_cluster
from tests.support.command import Shell, belonging_to, finished, until
from tests.support.saying import say
from tests.support.server import STOPPED_WITHIN, Server, descendants
from tests.support.stopped import rebuilt_equals_live

UP = ("up", "--port", "0", "--data")


@pytest.fixture
def server(tmp_path):
    """A server not yet started; whatever it left running fails the test."""
    server = Server(tmp_path / "data")
    yield server
    if server.process is not None and server.process.poll() is None:
        server.kill_everything()
        pytest.fail("the server was left running")
    until(lambda: not belonging_to(tmp_path), STOPPED_WITHIN)


def catches(pid, number):
    """Whether a process has a handler of its own for this signal."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    [mask] = [line.split()[1] for line in status if line.startswith("SigCgt")]
    return int(mask, 16) >> (number - 1) & 1


def listing(url, session):
    path = f"{url}/v3/workspaces/w/sessions/{session}/messages/list?size=100"
    page, found = 1, []
    while True:
        answer = httpx.post(f"{path}&page={page}", json={}, timeout=120).json()
        found += [message["content"] for message in answer["items"]]
        if page >= answer["pages"]:
            return found
        page += 1


MOMENTS = {
    "before anything is imported": lambda pid, _: catches(pid, signal.SIGTERM),
    "while the cluster is made": lambda _, data: (
        list(data.glob("postgres.new-*")) or (data / "postgres").exists()
    ),
    "while Postgres starts": lambda _, data: (data / "postgres.pid").exists(),
    "while the views are made": lambda pid, _: len(descendants(pid)) > 9,
}


def stopped_at(shell, moment, number):
    """Start on the same data as before, and send a signal when the moment comes."""
    data = shell.folder / "data"
    process = shell.start(*UP, str(data))
    until(lambda: process.poll() is not None or MOMENTS[moment](process.pid, data))
    process.send_signal(number)
    return finished(process, STOPPED_WITHIN)


def test_a_signal_during_the_start_ends_it_and_leaves_nothing(shell):
    numbers = (signal.SIGTERM, signal.SIGINT) * 2
    for moment, number in zip(MOMENTS, numbers, strict=True):
        ended = stopped_at(shell, moment, number)
        assert ended.code == 0, (moment, ended)
        assert "Traceback" not in ended.err, (moment, ended)
        until(lambda: not belonging_to(shell.folder))
        assert not (shell.folder / "data" / "postgres.pid").exists(), moment


def alive(pids):
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


class Speaker(threading.Thread):
    """Says one thing after the other until it is refused; remembers what was taken."""

    def __init__(self, server, number):
        super().__init__()
        self.server, self.number = server, number
        self.taken, self.odd = [], []

    def run(self):
        path = f"/v3/workspaces/w/sessions/s{self.number}/messages"
        with httpx.Client(base_url=self.server.url, timeout=120) as client:
            for n in range(100_000):
                said = {"peer_id": "ann", "content": f"I own boat {n}."}
                try:
                    answer = client.post(path, json={"messages": [said]})
                except httpx.TransportError:
                    return
                if answer.status_code == 503:
                    return
                if answer.status_code != 201:
                    self.odd.append(answer.text)
                    return
                self.taken.append(said["content"])


def test_a_signal_under_load_loses_nothing_that_was_acknowledged(server):
    server.start()
    speakers = [Speaker(server, n) for n in range(8)]
    for speaker in speakers:
        speaker.start()
    until(lambda: min(len(speaker.taken) for speaker in speakers) > 20)
    below = descendants(server.process.pid)
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(STOPPED_WITHIN) == 0
    until(lambda: not alive(below))
    for speaker in speakers:
        speaker.join(60)
        assert speaker.odd == []
    assert "Traceback" not in server.log()

    server.start()
    for speaker in speakers:
        there = listing(server.url, f"s{speaker.number}")
        # One more may be there: its answer was on the way when the server left.
        assert there[: len(speaker.taken)] == speaker.taken
        assert len(there) - len(speaker.taken) in {0, 1}

    # Kill -9 of the server alone: nothing below it stays, the next start goes on.
    below = descendants(server.process.pid)
    server.process.kill()
    server.process.wait(STOPPED_WITHIN)
    until(lambda: not alive(below), STOPPED_WITHIN)
    server.start()
    say(server.url, "I live in Ghent.", "s0")
    server.kill_everything()
    server.start()
    assert listing(server.url, "s0")[-1] == "I live in Ghent."
    assert server.stop() == 0
    rebuilt_equals_live(server.data)


def test_a_processor_that_ends_ends_the_server_in_one_line(server):
    server.start()
    say(server.url, "I live in Ghent.")
    asyncio.run(_lose_a_table(running_cluster(server.data).dsn()))
    assert server.process.wait(STOPPED_WITHIN) == 1
    [last] = server.log().splitlines()[-1:]
    assert last.startswith("palimpsest: processor "), server.log()
    assert "UndefinedTableError" in last
    assert "Traceback" not in server.log()


async def _lose_a_table(dsn):
    connection = await asyncpg.connect(dsn)
    await connection.execute("ALTER TABLE work.checkpoint RENAME TO gone")
    await connection.close()


def test_the_tour_shows_everything_and_leaves_nothing(tmp_path):
    temporary = tmp_path / "t"
    temporary.mkdir()
    nowhere = Shell(tmp_path, cwd="/proc")
    ended = nowhere.run(
        "demo",
        TMPDIR=str(temporary),
        DB_CONNECTION_URI="postgresql://nobody@127.0.0.1:1/x",
        KEYS_MASTER_KEY="none",
        LOG_LEVEL="warning",
    )
    assert (ended.code, ended.err) == (0, "")
    for part in ("what mira told", "search: math homework", "(2024-", "message-added"):
        assert part in ended.out
    assert "conclusion-derived" in ended.out
    assert list(temporary.iterdir()) == []


def test_a_tour_broken_off_leaves_nothing(tmp_path):
    temporary = tmp_path / "t"
    temporary.mkdir()
    tour = Shell(tmp_path).start("demo", TMPDIR=str(temporary))
    until(lambda: list(temporary.glob("palimpsest-demo-*/data/postgres.pid")))
    tour.send_signal(signal.SIGTERM)
    ended = finished(tour, STOPPED_WITHIN)
    assert (ended.code, ended.err) == (143, "")
    assert list(temporary.iterdir()) == []
    until(lambda: not belonging_to(tmp_path))
