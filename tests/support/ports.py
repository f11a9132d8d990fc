"""Loopback ports for servers of tests: whoever is given one keeps it.

Servers are told their port before they listen, and come back to it after they were
killed. In between, no other test process is given it, and the kernel gives it to no
client: it chooses those from a range of its own. Nor is a stub asked by a server that
still asks one which is gone, of another test.
"""

import secrets
import socket
from pathlib import Path

_LOWEST = 10_000
_CLIENTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """Return a port nobody listens on; it is this process' until that ends."""
    clients = int(_CLIENTS.read_text().split()[0])
    ports = range(_LOWEST, max(clients, 2 * _LOWEST))
    while not take(port := secrets.choice(ports)):
        pass
    return port


def take(port: int) -> bool:
    """Take a port, if nobody has it, by a name that goes with our process."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0palimpsest-port-{port}")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
    except OSError:
        name.close()
        return False
    name.detach()
    return True
