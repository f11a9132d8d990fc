"""What the tests of the command line share: one server that many commands look at."""

import pytest

from tests.support.command import Shell, until
from tests.support.data_folders import Folders
from tests.support.saying import MARKER, nothing_lags, say
from tests.support.server import Server


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


@pytest.fixture(scope="session")
def looking(tmp_path_factory):
    return Shell(tmp_path_factory.mktemp("looking"))


@pytest.fixture(scope="session")
def school(tmp_path_factory, looking):
    """A server on a folder with spaces and more than ASCII; something was said."""
    data = tmp_path_factory.mktemp("school") / "données d'été [b]:x:"
    server = Server(data)
    server.start()
    try:
        words = f"I live in {MARKER} street in Ghent.\n\x1b[2JWhat a day!"
        server.said = say(server.url, words)
        until(lambda: nothing_lags(looking, server))
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Two ages of a data folder; a test that changes one copies it."""
    made = Folders(tmp_path_factory.mktemp("proof"))
    made.make()
    return made
