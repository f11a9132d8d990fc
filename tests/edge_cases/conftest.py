"""Two real servers for the edge cases of HC 8: one open, one behind keys.

Each test has a workspace of its own. ``api`` and ``guarded`` are plain HTTP clients,
so that what is asserted is what any client sees.
"""

import secrets

import httpx
import jwt
import pytest

from tests.support.servers import JWT_SECRET


@pytest.fixture(scope="session")
def api(open_server):
    with httpx.Client(base_url=open_server.url, timeout=120) as client:
        yield client


@pytest.fixture(scope="session")
def guarded(guarded_server):
    """A client without a key; give it ``headers=bearer(w=..., p=..., s=...)``."""
    with httpx.Client(base_url=guarded_server.url, timeout=120) as client:
        yield client


@pytest.fixture
def workspace():
    """A name no other test uses; nothing is created."""
    return f"w-{secrets.token_hex(6)}"


@pytest.fixture
def at(workspace):
    """The path of the test's workspace."""
    return f"/v3/workspaces/{workspace}"


@pytest.fixture(scope="session")
def bearer():
    """Headers with a key of these claims (HC 4.2); ``ad=True`` is the admin's."""

    def headers(**claims):
        token = jwt.encode({"t": "", **claims}, JWT_SECRET, algorithm="HS256")
        return {"Authorization": f"Bearer {token}"}

    return headers
