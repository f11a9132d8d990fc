"""Postgres refuses root: root runs it in a user namespace or as an account."""

# ruff: noqa: ASYNC240 - files of /proc are quick

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from infra.postgres.embedded import EmbeddedPostgres, PostgresRefused
from infra.postgres.embedded.binaries import Binaries
from tests.support.embedded import ask, postmaster_of

ROOT = Path(__file__).parents[3]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes who it is")

JOURNEY = """
import asyncio, sys
from pathlib import Path
import asyncpg
from infra.postgres.embedded import *

async def journey(data):
    for expected in (0, 1):
        server = EmbeddedPostgres(data)
        connection = await asyncpg.connect((await server.start()).dsn())
        await connection.execute("CREATE TABLE IF NOT EXISTS note (word text)")
        assert await connection.fetchval("SELECT count(*) FROM note") == expected
        await connection.execute("INSERT INTO note VALUES ('kept')")
        await connection.close()
        await server.stop()
    data.chmod(0o500)
    (data / "lock").chmod(0o400)
    try:
        await EmbeddedPostgres(data).start()
    except DataFolderUnwritable as error:
        print(error)

asyncio.run(journey(Path(sys.argv[1])))
"""


@pytest.fixture
def open_folder():
    """Make a folder that every account may pass through (pytest's own is private)."""
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_nobody(*command):
    nobody = pwd.getpwnam("nobody")
    return subprocess.run(
        command,
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(import_path())},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def import_path():
    return [str(ROOT), *(path for path in sys.path if "site-packages" in path)]


def python_for_nobody():
    """Find an interpreter that an ordinary account may run with our packages."""
    for python in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
        try:
            if as_nobody(python, "-c", "import asyncpg, infra").returncode == 0:
                return python
        except OSError:
            continue
    return pytest.skip("no other account can read this interpreter and its packages")


def binaries_for_nobody():
    try:
        seen = as_nobody(Binaries.find().postgres, "--version").returncode == 0
    except OSError:
        seen = False
    if not seen:
        pytest.skip("no other account can read the programs of the wheel")


@pytest.fixture
def no_namespace(monkeypatch, tmp_path):
    """Hide `unshare`, as where user namespaces are refused."""
    for name in ("setpriv",):
        if found := shutil.which(name):
            (tmp_path / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(tmp_path))


@as_root
async def test_root_runs_it_in_a_user_namespace_and_owns_the_data(data):
    server = EmbeddedPostgres(data)
    await server.start()
    try:
        mapping = Path(f"/proc/{postmaster_of(data).pid}/uid_map").read_text().split()
        if mapping == Path("/proc/self/uid_map").read_text().split():
            pytest.skip("user namespaces are refused here")
        assert mapping[1:] == ["0", "1"]
        assert mapping[0] != "0"
        assert (data / "postgres").stat().st_uid == 0
    finally:
        await server.stop()


@as_root
@pytest.mark.usefixtures("no_namespace")
async def test_root_without_namespaces_runs_it_as_an_account(open_folder):
    binaries_for_nobody()
    data = open_folder / "data"
    first = EmbeddedPostgres(data)
    await ask(await first.start(), "CREATE TABLE note AS SELECT 'kept' AS word")
    owner = (data / "postgres").stat().st_uid
    status = Path(f"/proc/{postmaster_of(data).pid}/status").read_text()
    await first.stop()
    assert owner != 0
    assert f"Uid:\t{owner}\t" in status
    assert data.stat().st_uid == 0
    assert data.stat().st_mode & 0o777 == 0o711


@as_root
async def test_a_cluster_stays_with_the_account_that_owns_it(open_folder, monkeypatch):
    binaries_for_nobody()
    data = open_folder / "data"
    with monkeypatch.context() as patched:
        patched.setenv("PATH", "/nowhere")
        first = EmbeddedPostgres(data)
        await ask(await first.start(), "CREATE TABLE note AS SELECT 'kept' AS word")
        await first.stop()
    second = EmbeddedPostgres(data)
    assert await ask(await second.start(), "SELECT word FROM note") == "kept"
    await second.stop()


@as_root
@pytest.mark.usefixtures("no_namespace")
async def test_root_is_refused_where_no_account_can_enter(tmp_path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(PostgresRefused, match="may enter"):
        await EmbeddedPostgres(private / "data").start()
    assert private.stat().st_mode & 0o777 == 0o700


@as_root
def test_an_ordinary_account_runs_it_directly(open_folder):
    binaries_for_nobody()
    python = python_for_nobody()
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)

    done = as_nobody(python, "-W", "error", "-c", JOURNEY, str(home / "a" / "data"))

    assert done.stderr == ""
    assert "cannot be written: Permission denied" in done.stdout
    assert (home / "a" / "data" / "postgres").stat().st_uid == nobody.pw_uid
