"""No socket is left to the collector, wherever it leads."""

import gc
import socket
import warnings
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaTimeoutError

from infra.kafka.client import client_options
from infra.kafka.connecting import connecting
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


@contextmanager
def mute():
    """Where one is begun and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def said_of_sockets():
    """Those that the collector finds open, at the end."""
    gc.collect()
    told = []
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", ResourceWarning)
        yield told
        gc.collect()
        told += [str(each.message) for each in found]


def begin_at(port):
    given = named_apart(f"127.0.0.1:{port}")
    KafkaAdminClient(**client_options(given, "x"), bootstrap_timeout_ms=300)


def test_a_connection_that_nobody_has_is_closed_with_the_client():
    """As one that is made in the moment in which another thread closes all."""
    with said_of_sockets() as told, mute() as port:
        client = connecting(bootstrap_servers=f"127.0.0.1:{port}", client_id="x")
        at = SimpleNamespace(node_id=0, host="127.0.0.1", port=port)
        client._net.run(client._manager._build_transport, at)
        client.close()
    assert told == []


@pytest.mark.parametrize("place", [nobody, busy])
def test_a_socket_in_vain_is_closed(place):
    with said_of_sockets() as told, place() as port, pytest.raises(KafkaTimeoutError):
        begin_at(port)
    assert told == []
