"""One server for the end-to-end tests, as ``palimpsest up`` starts it."""

import pytest

from tests.support.server import running
from tests.support.stopped import rebuilt_equals_live


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Ready before the first test; after the last, rebuilt views equal live ones."""
    data = tmp_path_factory.mktemp("e2e") / "data"
    with running(data) as server:
        yield server
        assert server.stop() == 0
    rebuilt_equals_live(data)
