"""Sockets to brokers, closed again where they lead to nobody."""

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any, Final

from kafka.errors import KafkaConnectionError, KafkaTimeoutError
from kafka.net.inet import KafkaNetSocket

Options = Iterable[tuple[int, int, int]]
"""What is set on a socket: level, name and value of each."""

_NO_ADDRESS: Final = "DNS Resolution failure"


class Opening(KafkaNetSocket):  # type: ignore[misc]  # kafka has no types
    """Opens as kafka-python does, which leaves what it opened in vain to the collector.

    In vain: refused, not answered in time, or the client is closed meanwhile.
    """

    SCHEMES = ()

    async def open(
        self, net: Any, node: Any, options: Options, timeout_at: float | None
    ) -> Any:
        """Return a connected socket: to the first address of a node that takes it.

        Raises:
            KafkaConnectionError
        """
        failure = KafkaConnectionError(_NO_ADDRESS)
        for each in self.dns_lookup(node.host, node.port):
            try:
                return await self.connect(net, each, options, timeout_at=timeout_at)
            except KafkaTimeoutError:
                raise KafkaConnectionError("Connection timed out") from None
            except KafkaConnectionError as error:
                failure = error
            except OSError as error:
                failure = KafkaConnectionError(f"unable to connect: {error}")
        raise failure

    async def sock_connect(
        self, net: Any, sock: Any, sockaddr: Any, timeout_at: float | None = None
    ) -> Any:
        """Connect a socket, or close it; called by ``connect``, theirs."""
        with ExitStack() as failed:
            failed.callback(sock.close)
            await super().sock_connect(net, sock, sockaddr, timeout_at=timeout_at)
            failed.pop_all()
        return sock
