"""The open server, under the name the end-to-end tests know it by."""

import pytest


@pytest.fixture(scope="session")
def server(open_server):
    return open_server
