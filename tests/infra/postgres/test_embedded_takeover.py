"""After a `kill -9` the next start takes over, and harms nobody else's process."""

# ruff: noqa: ASYNC110, ASYNC220 - conditions are polled, and a start is quick

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.postgres.embedded import EmbeddedPostgres, running_cluster
from infra.postgres.embedded.folder import DataFolder
from infra.postgres.embedded.processes import RunningProcess
from infra.postgres.embedded.takeover import take_over
from tests.support.embedded import ask, postmaster_of, until

# In the main thread the server dies with its supervisor where the kernel can do that;
# in another thread it never does.
SUPERVISOR = """
import asyncio, sys, threading
from pathlib import Path
from infra.postgres.embedded import EmbeddedPostgres

async def serve():
    address = await EmbeddedPostgres(Path(sys.argv[1])).start()
    print(address.host, flush=True)
    await asyncio.Event().wait()

if sys.argv[2] == "main":
    asyncio.run(serve())
else:
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    thread.join()
"""
ROOT = Path(__file__).parents[3]


def supervise(data, thread):
    """Start a server under a process of its own and give both when it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(data), thread],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    socket_folder = process.stdout.readline().strip()
    assert socket_folder
    return process, Path(socket_folder)


def kill(process):
    process.kill()
    process.wait()
    process.stdout.close()


async def test_a_killed_postmaster_is_replaced_at_once_and_commits_are_kept(data):
    first = EmbeddedPostgres(data)
    await ask(await first.start(), "CREATE TABLE note AS SELECT 'kept' AS word")
    postmaster = postmaster_of(data)
    postmaster.send(signal.SIGKILL)
    await until(lambda: not first.alive)
    await first.stop()

    second = EmbeddedPostgres(data)
    assert await ask(await second.start(), "SELECT word FROM note") == "kept"
    await second.stop()


async def test_an_orphan_of_a_killed_supervisor_is_stopped_and_replaced(data):
    supervisor, old_socket = supervise(data, "side")
    address = running_cluster(data)
    await ask(address, "CREATE TABLE note AS SELECT 'kept' AS word")
    kill(supervisor)
    orphan = postmaster_of(data)
    assert orphan.alive
    assert await ask(address, "SELECT word FROM note") == "kept"

    server = EmbeddedPostgres(data)
    assert await ask(await server.start(), "SELECT word FROM note") == "kept"
    assert not orphan.alive
    assert not old_socket.exists()
    assert postmaster_of(data) != orphan
    await server.stop()


async def test_an_orphan_is_found_without_our_own_note(data):
    supervisor, old_socket = supervise(data, "side")
    kill(supervisor)
    orphan = postmaster_of(data)
    (data / "postgres.pid").write_text("{ torn")

    server = EmbeddedPostgres(data)
    await server.start()
    assert not orphan.alive
    assert not old_socket.exists()
    await server.stop()


async def test_all_killed_at_once_leaves_nothing_that_hinders_the_next_start(data):
    supervisor, old_socket = supervise(data, "side")
    await ask(running_cluster(data), "CREATE TABLE note AS SELECT 'kept' AS word")
    postmaster = postmaster_of(data)
    everyone = [postmaster, *postmaster.children()]
    kill(supervisor)
    for process in everyone:
        process.send(signal.SIGKILL)
    await until(lambda: not any(process.alive for process in everyone))
    assert (data / "postgres" / "postmaster.pid").exists()

    server = EmbeddedPostgres(data)
    assert await ask(await server.start(), "SELECT word FROM note") == "kept"
    assert not old_socket.exists()
    await server.stop()


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
async def test_a_server_leaves_when_its_supervisor_is_killed(data):
    supervisor, _ = supervise(data, "main")
    postmaster = postmaster_of(data)
    kill(supervisor)
    await until(lambda: not postmaster.alive)

    server = EmbeddedPostgres(data)
    assert await ask(await server.start(), "SELECT 1") == 1
    await server.stop()


async def test_a_start_during_the_shutdown_of_an_orphan_waits_for_it(data):
    supervisor, _ = supervise(data, "side")
    kill(supervisor)
    orphan = postmaster_of(data)
    orphan.send(signal.SIGINT)
    server = EmbeddedPostgres(data)
    assert await ask(await server.start(), "SELECT 1") == 1
    assert not orphan.alive
    await server.stop()


async def test_a_stranger_with_a_reused_pid_is_neither_killed_nor_in_the_way(data):
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        living = RunningProcess.find(stranger.pid)
        lock = f"{stranger.pid}\n{data}/postgres\n1\n5432\n/nowhere\n\n\nready   \n"
        (data / "postgres" / "postmaster.pid").write_text(lock)
        place = {"host": "/nowhere", "port": 5432, "user": "u", "database": "d"}
        process = {"pid": living.pid, "birth": living.birth}
        note = json.dumps({"process": process, "address": place})
        (data / "postgres.pid").write_text(note)

        server = EmbeddedPostgres(data)
        assert await ask(await server.start(), "SELECT 1") == 1
        await server.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_copied_folder_does_not_stop_the_server_of_its_original(data):
    server = EmbeddedPostgres(data)
    address = await server.start()
    copy = DataFolder(data.with_name("copy"))
    copy.cluster.mkdir(parents=True)
    for name in ("postgres.pid", "postgres/postmaster.pid"):
        shutil.copy(data / name, copy.path / name)

    assert running_cluster(copy.path) is None
    await take_over(copy, 5)

    assert server.alive
    assert await ask(address, "SELECT 1") == 1
    assert not (copy.cluster / "postmaster.pid").exists()
    await server.stop()


async def test_a_moved_folder_still_knows_its_orphan(data):
    supervisor, _ = supervise(data, "side")
    kill(supervisor)
    orphan = postmaster_of(data)
    moved = data.rename(data.with_name("moved"))

    server = EmbeddedPostgres(moved)
    assert await ask(await server.start(), "SELECT 1") == 1
    assert not orphan.alive
    await server.stop()


async def test_a_half_made_cluster_is_thrown_away(tmp_path):
    data = tmp_path / "data"
    half = data / "postgres.new-x" / "base"
    half.mkdir(parents=True)
    task = asyncio.create_task(EmbeddedPostgres(data).start())
    while not list(data.glob("postgres.new-*/PG_VERSION")):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not list(data.glob("postgres*/*"))

    server = EmbeddedPostgres(data)
    assert await ask(await server.start(), "SELECT 1") == 1
    await server.stop()
