"""Every call of ``honcho-ai``, newest and oldest 2.x, sync and ``.aio`` (HC 7.1, 7.5).

The replay is a program of its own, run by an interpreter that has the version. All
four run at once, for each waits for its server most of the time.
"""

import json
import os
import secrets
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import jwt
import pytest

from tests.support.needs import lacking
from tests.support.servers import JWT_SECRET

ROOT = Path(__file__).parents[3]
OLDEST = "2.0.0"
RUN_WITHIN = 300.0
LISTS = ("Honcho.peers", "Honcho.sessions", "Honcho.workspaces", "Peer.sessions")
MISSING_IN_OLDEST = {
    "Conclusion.level",
    "Conclusion.source_ids",
    "ConclusionScope.get",
    "ConclusionScope.list(filters)",
    "ConclusionScope.list(reverse)",
    "ConclusionScope.query(filters)",
    "Honcho.chat",
    "Honcho.scope",
    "Honcho.session(peers)",
    "Honcho.uid",
    "Peer.chat(include_evidence)",
    "Peer.chat(response_format)",
    "Peer.chat(sessions)",
    "Peer.chat(timeout)",
    "Peer.created_at",
    "Peer.representation(sessions)",
    "Peer.set_card",
    "Peer.uid",
    "Session.context(sessions)",
    "Session.created_at",
    "Session.get_message",
    "Session.uid",
} | {
    f"{each}({option})"
    for each in (*LISTS, "Session.messages")
    for option in ("page", "size", "reverse")
}


@pytest.fixture(scope="module")
def oldest(tmp_path_factory):
    """An interpreter that has the oldest 2.x; what it needs is pinned as ours is."""
    folder = tmp_path_factory.mktemp("oldest")
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]
    pinned = [
        each
        for each in pins["constraint-dependencies"]
        if not each.startswith("honcho-ai")
    ]
    (folder / "constraints.txt").write_text("\n".join(pinned))
    python = folder / "venv" / "bin" / "python"
    sought = ["--python", python, "--constraint", "constraints.txt"]
    for command in (
        ["uv", "venv", "--quiet", "--python", sys.executable, "venv"],
        ["uv", "pip", "install", "--quiet", *sought, f"honcho-ai=={OLDEST}"],
    ):
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            lacking("uv and a package registry", done.stderr)
    return str(python)


def keys_of(url):
    """Mint keys of a workspace no other replay uses (HC 4.2)."""
    at = f"guarded-{secrets.token_hex(4)}"
    claims = {
        "admin": {"ad": True},
        "workspace": {"w": at},
        "peer": {"w": at, "p": "ann"},
        "session": {"w": at, "s": "s"},
        "elsewhere": {"w": f"{at}-not"},
        "expired": {"w": at, "exp": int(time.time()) - 60},
    }
    keys = {name: token(each, JWT_SECRET) for name, each in claims.items()}
    forged = token({"ad": True}, JWT_SECRET[::-1])
    return {"url": url, "at": at, "forged": forged} | keys


def token(claims, secret):
    return jwt.encode({"t": "", **claims}, secret, algorithm="HS256")


@pytest.fixture(scope="module")
def told(oldest, open_server, guarded_server, tmp_path_factory):
    """What each of the four replays printed."""
    # Nothing here speaks TLS: reading no authorities for each client saves seconds.
    nothing = str(tmp_path_factory.mktemp("no-authorities"))
    spared = {"SSL_CERT_FILE": "", "SSL_CERT_DIR": nothing}
    started = {
        (name, voice): subprocess.Popen(
            [python, "-m", "tests.e2e.sdk.replay", voice, open_server.url],
            cwd=ROOT,
            env=os.environ | spared,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, python in (("newest", sys.executable), ("oldest", oldest))
        for voice in ("sync", "aio")
    }
    heard = {}
    try:
        for which, replay in started.items():
            out, err = replay.communicate(
                json.dumps(keys_of(guarded_server.url)), RUN_WITHIN
            )
            heard[which] = json.loads(out) if out else {"failed": {"the start": err}}
    finally:
        for replay in started.values():
            replay.kill()
            replay.wait()
    return heard


@pytest.mark.uv
@pytest.mark.parametrize("voice", ["sync", "aio"])
@pytest.mark.parametrize("which", ["newest", "oldest"])
def test_everything_the_sdk_offers_works_and_was_called(told, which, voice):
    heard = told[which, voice]
    assert not heard["failed"], "\n".join(heard["failed"].values())
    assert len(heard["told"]) == len(set(heard["told"])) > 40
    assert heard["never_called"] == []
    if which == "newest":
        assert heard["version"] != OLDEST
        assert heard["missing"] == []
        assert len(heard["called"]) > 70
    else:
        assert heard["version"] == OLDEST
        assert set(heard["missing"]) == MISSING_IN_OLDEST
        assert len(heard["called"]) > 45
