"""The models the live suite is run on."""

import pytest

from tests.support.live_models import llama_server, providers

REMOTE = {each.transport: each for each in providers()}


@pytest.fixture(scope="session")
def llama(tmp_path_factory):
    with llama_server(tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture(scope="session", params=["local", *REMOTE])
def live(request):
    if request.param == "local":
        return request.getfixturevalue("llama").live
    return REMOTE[request.param]
