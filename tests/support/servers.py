"""Two servers for the whole run, as ``palimpsest up`` starts them: one open, one not.

A test on either works in a workspace of a name no other test uses. Who stops a server,
kills it or sets it up differently starts one of its own.
"""

import pytest

from tests.support.law_beside import LawBeside
from tests.support.server import running
from tests.support.stopped import rebuilt_equals_live

JWT_SECRET = "a secret of the tests, long enough for HS256"  # noqa: S105  of the tests
WEBHOOK_SECRET = "a secret of the tests for webhooks"  # noqa: S105  of the tests


@pytest.fixture(scope="session")
def open_server(tmp_path_factory):
    """Wants no key; after the last test, rebuilt views equal live ones."""
    data = tmp_path_factory.mktemp("open") / "data"
    with running(data, {"WEBHOOK_SECRET": WEBHOOK_SECRET}) as server:
        server.law = LawBeside()
        yield server
        assert server.stop() == 0
    rebuilt_equals_live(data)


@pytest.fixture(scope="session")
def guarded_server(tmp_path_factory):
    """Wants a key for everything under /v3 (HC 4); the same law holds."""
    data = tmp_path_factory.mktemp("guarded") / "data"
    wanted = {"AUTH_USE_AUTH": "true", "AUTH_JWT_SECRET": JWT_SECRET}
    with running(data, wanted) as server:
        server.law = LawBeside()
        yield server
        assert server.stop() == 0
    rebuilt_equals_live(data)


@pytest.fixture(autouse=True)
def law(request):
    """After each test on a shared server: what it changed is shown as the log says."""
    yield
    for name in ("open_server", "guarded_server"):
        if name in request.fixturenames:
            server = request.getfixturevalue(name)
            server.law.check(server.data)
