"""The address a server is reached at, taken before anything else is started."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

_BACKLOG = 2048


class PortTaken(Exception):  # noqa: N818  says what happened
    """Somebody else listens on the address we were asked to serve on."""


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Listen at once, so that a clash costs nothing.

    Who calls while the server starts waits in the backlog and is answered once it is
    ready.

    Raises:
        PortTaken: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
            door.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            raise PortTaken(f"cannot serve on {host}:{port}: {error}") from error
        yield door
