"""What a person can mend is one clear line on stderr and exit code 2, no more."""

import os
import socket

import pytest

from infra.postgres.embedded.folder import FORMAT
from tests.support.command import finished

NOBODY = "postgresql+psycopg://u:hush@127.0.0.1:1/x"

UP = ("up", "--port", "0", "--data", "{data}")
STATUS = ("status", "--data", "{data}")
OWN = ("up", "--port", "0")

REFUSED = {
    "a level that is none": (UP, {"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
    "origins that are no list": (UP, {"CORS_ORIGINS": "all"}, "CORS_ORIGINS"),
    "a key that is none": (UP, {"KEYS_MASTER_KEY": "abc"}, "KEYS_MASTER_KEY"),
    "a signing key that is none": (UP, {"KEYS_SIGNING_KEY": "abc"}, "KEYS_SIGNING_KEY"),
    "another vector store": (UP, {"VECTOR_STORE_TYPE": "lancedb"}, "lancedb"),
    "keys without a secret": (UP, {"AUTH_USE_AUTH": "true"}, "AUTH_JWT_SECRET"),
    "a key without a secret": (("keys", "new", "--admin"), {}, "AUTH_JWT_SECRET"),
    "a key for nothing": (("keys", "new"), {"AUTH_JWT_SECRET": "x"}, "--admin"),
    "no database of your own": (OWN, {"DB_CONNECTION_URI": NOBODY}, "does not answer"),
    "none to look at": (("status",), {"DB_CONNECTION_URI": NOBODY}, "does not answer"),
    "no database for keys": (UP, {"KEYS_CONNECTION_URI": NOBODY}, "KEYS_CONNECTION"),
    "no address at all": (OWN, {"DB_CONNECTION_URI": "mysql://u:hush@h/x"}, "DB_CONN"),
    "a port that is none": (("up", "--port", "70000"), {}, "70000"),
    "an unknown host": (("up", "--host", "no.such.invalid"), {}, "no.such.invalid"),
    "a file for a folder": (("up", "--port", "0", "--data", "/dev/null"), {}, "/dev/n"),
    "nothing to look at": (STATUS, {}, "there is no Palimpsest"),
    "no story": (("trace", "x", "--data", "{data}"), {}, "there is no Palimpsest"),
    "no events": (("events", "--data", "{data}"), {}, "there is no Palimpsest"),
    "no keys": (("park", "list", "--data", "{data}"), {}, "there is no Palimpsest"),
    "nothing to verify": (("verify", "--data", "{data}"), {}, "there is no Palim"),
    "nothing to reset": (("reset", "x", "--data", "{data}"), {}, "there is no Palim"),
    "nothing signed": (("checkpoint", "--data", "{data}"), {}, "there is no Palim"),
    "a file that is none": (
        ("verify", "--against", "/no/such", "--data", "{data}"),
        {},
        "/no/such",
    ),
    "no views": (("rebuild", "--all", "--data", "{data}"), {}, "there is no Palim"),
}


@pytest.fixture(scope="module")
def refusals(tmp_path_factory, looking):
    """Run them all, a few at a time: each is mostly the start of an interpreter."""
    running, ended = {}, {}
    for name, (words, settings, _) in REFUSED.items():
        data = tmp_path_factory.mktemp("empty")
        command = [word.format(data=data) for word in words]
        running[name] = (looking.start(*command, **settings), data)
        if len(running) == 3:
            ended |= {n: (finished(p), d) for n, (p, d) in running.items()}
            running = {}
    return ended | {n: (finished(p), d) for n, (p, d) in running.items()}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_one_line_and_leaves_nothing(refusals, name):
    ended, data = refusals[name]
    assert REFUSED[name][2] in ended.refusal
    assert "hush" not in ended.err
    assert list(data.iterdir()) == []


def test_an_occupied_port(shell):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = shell.run("up", "--port", port, "--data", str(shell.folder / "d"))
    assert port in ended.refusal
    assert not (shell.folder / "d").exists()


def test_a_newer_data_folder(shell):
    data = shell.folder / "d"
    data.mkdir()
    (data / "format").write_text(f"{FORMAT + 1}\n")
    assert "newer" in shell.run("up", "--port", "0", "--data", str(data)).refusal
    assert [each.name for each in data.iterdir()] == ["format"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder(shell):
    shell.folder.chmod(0o555)
    ended = shell.run("up", "--port", "0", "--data", str(shell.folder / "d"))
    assert "cannot be written" in ended.refusal


def test_settings_come_from_the_working_directory(shell):
    (shell.folder / ".env").write_text("NOBODY_KNOWS=1\nLOG_LEVEL=loud\n")
    assert "LOG_LEVEL" in shell.run("up", "--port", "0").refusal
    nothing = shell.run("status", "--data", str(shell.folder), LOG_LEVEL="debug")
    assert "there is no Palimpsest" in nothing.refusal
    (shell.folder / ".env").write_bytes(b"LOG_LEVEL=\xff\n")
    assert ".env" in shell.run("up", "--port", "0").refusal
