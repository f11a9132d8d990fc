"""A Postgres of your own: an ordinary role, the keys elsewhere, and what is newer."""

import asyncio
import base64
import json
from dataclasses import replace
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.support.command import finished, until
from tests.support.ports import free_port
from tests.support.saying import MARKER, say
from tests.support.server import STOPPED_WITHIN, healthy

KEY = base64.b64encode(bytes(range(32))).decode()
DERIVED = "6ccc6b7e45a07dfd55f80eb9f3fb9e081f26196d70fd925ea6e8aa3d09981b7e"
"""The public key that signs under this master key, on every server, for ever."""


def tell(address, *statements):
    async def _tell():
        connection = await asyncpg.connect(address.dsn())
        try:
            return [await connection.fetchval(each) for each in statements]
        finally:
            await connection.close()

    return asyncio.run(_tell())


def as_sqlalchemy_says(address):
    return address.dsn().replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture(scope="module")
def own(postgres_address):
    """Two databases of a role that may do nothing more, with ``vector`` in one."""
    role, log, keys = (f"{name}_{uuid4().hex[:12]}" for name in ("user", "log", "keys"))
    tell(
        postgres_address,
        f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB",
        f"CREATE DATABASE {log}",
        f"CREATE DATABASE {keys}",
        f"GRANT CREATE, CONNECT ON DATABASE {log} TO {role}",
        f"GRANT CREATE, CONNECT ON DATABASE {keys} TO {role}",
    )
    tell(postgres_address.at(log), "CREATE EXTENSION vector")
    address = replace(postgres_address, user=role)
    yield address.at(log), address.at(keys)
    for database in (log, keys):
        tell(postgres_address, f"DROP DATABASE {database} WITH (FORCE)")
    tell(postgres_address, f"DROP ROLE {role}")


@pytest.fixture(scope="module")
def settings(own):
    log, keys = own
    return {
        "DB_CONNECTION_URI": as_sqlalchemy_says(log),
        "KEYS_CONNECTION_URI": as_sqlalchemy_says(keys),
        "KEYS_MASTER_KEY": KEY,
        # Where a data folder would be made if one were needed.
        "XDG_DATA_HOME": "/dev/null",
    }


def test_an_ordinary_role_is_enough_and_keys_may_be_elsewhere(looking, own, settings):
    port = free_port()
    server = looking.start("up", "--port", str(port), **settings)
    try:
        until(lambda: healthy(port) or server.poll() is not None)
        message = say(f"http://127.0.0.1:{port}", f"I live in {MARKER} street.")
        found = httpx.post(
            f"http://127.0.0.1:{port}/v3/workspaces/w/search",
            json={"query": "street"},
            timeout=120,
        )
        assert [each["id"] for each in found.json()] == [message]
        beside = looking.run("status", "--json", **settings)
        assert json.loads(beside.out)["head"] > 0, beside
        proved = looking.run("verify", "--all", "--json", **settings)
        assert json.loads(proved.out)["ok"], proved
        signed = looking.run("checkpoint", "--now", **settings)
        assert json.loads(signed.out)["public_key"] == DERIVED, signed
        told = looking.run("trace", message, **settings)
        assert MARKER in told.out
        tell(own[0], "UPDATE view.checkpoint SET code = '' WHERE projection = 'peers'")
        refused = looking.run("rebuild", "--all", **settings)
        assert "folds peers by other code than this one's" in refused.refusal
    finally:
        server.terminate()
        ended = finished(server, STOPPED_WITHIN)
    assert ended.code == 0
    assert MARKER not in ended.err
    assert "from DB_CONNECTION_URI" in ended.err
    log, keys = own
    assert tell(log, "SELECT to_regclass('secret.data_key')") == [None]
    assert tell(keys, "SELECT count(*) > 0 FROM secret.data_key") == [True]
    rebuilt = looking.run("rebuild", "--all", "--json", **settings)
    report = json.loads(rebuilt.out.splitlines()[-1])
    assert report["events"] > 0, rebuilt
    assert report["differences"] == []
    assert looking.run("rebuild", "cards", "--json", **settings).code == 0


def test_another_master_key_is_found_out_at_the_start(looking, settings):
    other = settings | {"KEYS_MASTER_KEY": base64.b64encode(bytes(32)).decode()}
    for words in (("up", "--port", "0"), ("status",), ("rebuild", "--all")):
        assert "not the master key" in looking.run(*words, **other).refusal


@pytest.mark.parametrize(
    ("newer", "known"),
    [
        (
            "UPDATE palimpsest.migration SET number = 999 WHERE number = 1",
            "UPDATE palimpsest.migration SET number = 1 WHERE number = 999",
        ),
        (
            "UPDATE view.checkpoint SET version = 999 WHERE projection = 'messages'",
            "UPDATE view.checkpoint SET version = 1 WHERE projection = 'messages'",
        ),
    ],
)
def test_what_a_newer_version_left_is_not_touched(looking, own, settings, newer, known):
    tell(own[0], newer)
    assert "newer" in looking.run("up", "--port", "0", **settings).refusal
    tell(own[0], known)


def test_a_role_that_may_do_nothing_is_told_so(looking, postgres_address, own):
    address = replace(own[0], database=postgres_address.database)
    ended = looking.run("up", "--port", "0", DB_CONNECTION_URI=address.dsn())
    assert "permission denied" in ended.refusal


def test_an_explicit_folder_wins_and_says_so(looking, settings, tmp_path):
    ended = looking.run("status", "--data", str(tmp_path), **settings)
    said, refused = ended.err.splitlines()
    assert "DB_CONNECTION_URI is not used" in said
    assert f"there is no Palimpsest in {tmp_path}" in refused
    assert ended.code == 2
