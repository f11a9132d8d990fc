"""No socket is left to the collector, wherever it leads."""

import gc
import socket
import warnings
from contextlib import contextmanager

import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaTimeoutError

from infra.kafka.client import client_options
from tests.support.kafka import named_apart
from tests.support.ports import free_port


@contextmanager
def nobody():
    """Where connections are refused."""
    yield free_port()


@contextmanager
def busy():
    """Where one is begun and never taken: as many wait as may."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        others = [socket.socket() for _ in range(4)]
        for each in others:
            each.setblocking(False)
            each.connect_ex(server.getsockname())
        yield server.getsockname()[1]
        for each in others:
            each.close()


@pytest.mark.parametrize("place", [nobody, busy])
def test_a_socket_in_vain_is_closed(place):
    gc.collect()
    with place() as port, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        given = named_apart(f"127.0.0.1:{port}")
        with pytest.raises(KafkaTimeoutError):
            KafkaAdminClient(**client_options(given, "x"), bootstrap_timeout_ms=300)
        gc.collect()
    assert [str(each.message) for each in told] == []
