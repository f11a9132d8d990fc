"""A server that was killed finds its port free: nobody else was given it."""

import socket
import subprocess
import sys

from tests.support.ports import free_port, take

_ANOTHER = """
import sys
from tests.support.ports import take
print(take(int(sys.argv[1])))
"""


def another(port):
    """Whether another process is given the port."""
    told = subprocess.run(
        [sys.executable, "-c", _ANOTHER, str(port)],
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.strip() == "True"


def test_a_port_is_given_once():
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == len(ports)
    assert not any(map(take, ports))
    assert not another(ports[0])


def test_the_kernel_gives_it_to_no_client():
    port = free_port()
    with socket.socket() as client:
        client.bind(("127.0.0.1", 0))
        assert client.getsockname()[1] > port


def test_what_somebody_listens_on_is_no_free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert not take(taken.getsockname()[1])
