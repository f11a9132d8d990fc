"""Connections that can say why brokers do not let us in.

kafka-python goes on trying until the time to begin is over, and then tells only that:
a wrong password looks as if no broker were there. It has a place for refusals, but
3.0.12 never puts one there, and drops what a broker says while it hangs up.
"""

import ssl
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, Final

from kafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaProtocolError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

from infra.kafka.opening import Opening

_LOOK_AGAIN_MS: Final = 50.0

_WRONG_NAME: Final = (
    "brokers do not accept the name and the password (KAFKA_SASL_USERNAME,"
    " KAFKA_SASL_PASSWORD)"
)
_WRONG_MECHANISM: Final = "brokers do not speak what KAFKA_SASL_MECHANISM says"
_CUT_OFF: Final = (
    "brokers close the connection before it begins: KAFKA_SECURITY_PROTOCOL, the port"
    " or KAFKA_SASL_MECHANISM may not be theirs"
)


class Refused(KafkaError):  # type: ignore[misc]  # noqa: N818  kafka has no types
    """Brokers do not let us in, or we them; ``str()`` says why, without secrets.

    ``is_sure``: they said so themselves, or we do not trust them. Else they hung up,
    as a broker may that is about to end.
    """

    def __init__(self, why: str, *, is_sure: bool = True) -> None:
        super().__init__(why)
        self.is_sure = is_sure

    def __str__(self) -> str:
        return str(self.args[0])


class Connecting(KafkaConnectionManager):  # type: ignore[misc]  # kafka has no types
    """Keeps how each broker refused us last, and ends a beginning that is in vain."""

    def __init__(self, net: Any, **options: Any) -> None:
        super().__init__(net, **options)
        self._refusals: dict[Any, Refused] = {}
        self._opened: list[Any] = []

    @property
    def refusal(self) -> Refused | None:
        """Why the broker tried last does not let us in; None once one does."""
        return next(reversed(self._refusals.values()), None)

    def bootstrap(self, timeout_ms: float | None = None, refresh: bool = True) -> None:  # noqa: FBT001, FBT002  theirs
        """Begin; else end: who made the client never had it, and cannot close it.

        Its thread would go on for ever, one more for each time brokers are away.
        """
        with ExitStack() as failed:
            failed.callback(self.abandon)
            failed.callback(self._net.close)
            failed.callback(self.close)
            super().bootstrap(timeout_ms, refresh)
            failed.pop_all()

    def abandon(self) -> None:
        """Close what is left open once nothing goes on any more.

        A connection that is made in the moment in which another thread closes all is
        left to the collector by theirs, and so is one that still has to send.
        """
        for each in self._opened:
            if (sock := each._sock) is not None:  # noqa: SLF001
                sock.close()

    def maybe_raise_auth_failure(self, node_id: Any) -> None:
        """Try no further if all brokers to begin with have refused; asked each time."""
        begun = [each.node_id for each in self.cluster.bootstrap_brokers()]
        found = [self._refusals.get(each) for each in begun]
        if node_id in begun and all(each and each.is_sure for each in found):
            refusal = self._refusals[node_id]
            self._refusals.clear()  # whoever tries again tries in earnest
            raise refusal

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> Any:
        """Connect; theirs waits for TLS without a bound, and leaves what it opened."""
        options = self.config["socket_options"]
        sock = await Opening().open(self._net, node, options, timeout_at)
        with ExitStack() as failed:
            failed.callback(sock.close)
            try:
                transport = self._transport(node, sock)
                failed.callback(transport.close)
                if self.ssl_enabled:
                    await _shake_hands(self._net, transport._sock, timeout_at)  # noqa: SLF001
            except OSError as error:
                raise KafkaConnectionError(error) from error
            failed.pop_all()
        opened = [each for each in self._opened if each._sock is not None]  # noqa: SLF001
        self._opened = [*opened, transport]
        transport._sock_recv = partial(_last_words, transport._sock_recv)  # noqa: SLF001
        return transport

    def _transport(self, node: Any, sock: Any) -> Any:
        if not self.ssl_enabled:
            return KafkaTCPTransport(self._net, sock, host=node.host)
        given = {each: self.config[each] for each in self.config if each[:4] == "ssl_"}
        return KafkaSSLTransport(self._net, sock, host=node.host, **given)

    async def _connect(self, node: Any, conn: Any, **further: Any) -> None:
        await super()._connect(node, conn, **further)
        begun = conn.init_future
        if begun.succeeded():
            self._refusals.clear()
        elif begun.failed() and (why := _refusal(begun.exception)) is not None:
            self._refusals.pop(node.node_id, None)
            self._refusals[node.node_id] = why

    async def _do_bootstrap(self, deadline: float | None) -> Any:
        try:
            return await super()._do_bootstrap(deadline)
        except KafkaTimeoutError:
            if self.refusal is not None:
                raise self.refusal from None
            raise


def _last_words(receive: Callable[[], tuple[bytes, Any]]) -> tuple[bytes, Any]:
    """Take what came before the end first; the client drops it: a refusal as a rule."""
    data, error = receive()
    return data, None if data else error


async def _shake_hands(net: Any, sock: Any, timeout_at: float | None) -> None:
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            await net.wait_read(sock, timeout_at=timeout_at)
        except ssl.SSLWantWriteError:
            await net.wait_write(sock, timeout_at=timeout_at)
        else:
            return


class Connections(KafkaNetClient):  # type: ignore[misc]  # kafka has no types
    """Connections of a client; none is left once it is closed."""

    def close(self, node_id: Any = None) -> None:
        """Close one, or all for good."""
        super().close(node_id)
        if node_id is None:
            self._manager.abandon()


def connecting(**options: Any) -> KafkaNetClient:
    """Return the connections of a client: what ``kafka_client`` is to be."""
    return Connections(**_parts(options))


class Sending(Connections):
    """Connections of a producer, which rests while a broker is not ready."""

    def connection_delay(self, node_id: Any) -> float:
        """Return in how many milliseconds to look again, unless something happens.

        Theirs are seconds, and none while a broker that is frozen takes the connection
        or owes answers: its producer looked thousands of times a second.
        """
        theirs: float = super().connection_delay(node_id)
        return max(_LOOK_AGAIN_MS, theirs * 1000)


def sending(**options: Any) -> KafkaNetClient:
    """Return the connections of a producer: what its ``kafka_client`` is to be."""
    return Sending(**_parts(options))


def _parts(options: dict[str, Any]) -> dict[str, Any]:
    net = options.pop("net", None) or NetworkSelector(**options)
    return {"net": net, "manager": Connecting(net, **options)}


def _refusal(error: BaseException) -> Refused | None:
    """Return what a connection that did not begin tells; None: no broker was there."""
    if isinstance(error, SaslAuthenticationFailedError):
        return Refused(_WRONG_NAME)
    if isinstance(error, UnsupportedSaslMechanismError):
        return Refused(_WRONG_MECHANISM)
    first = error.args[0] if error.args else None
    cause = first if isinstance(first, OSError) else error
    if isinstance(cause, ssl.SSLError):
        return _of_tls(cause)
    if isinstance(cause, FileNotFoundError | PermissionError):
        return Refused("a file of KAFKA_SSL_... cannot be read any more")
    # Garbled: it is TLS that we took for an answer.
    is_cut = isinstance(cause, ConnectionResetError | KafkaProtocolError)
    if is_cut or str(error).endswith("socket disconnected"):
        return Refused(_CUT_OFF, is_sure=False)
    return None


def _of_tls(error: ssl.SSLError) -> Refused:
    reason = error.reason or ""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message.rstrip(".")
        return Refused(f"the certificate of the brokers is not trusted ({said})")
    if "_ALERT_" in reason:
        said = reason.partition("_ALERT_")[2].replace("_", " ").lower()
        return Refused(f"brokers do not accept our certificate ({said})")
    return Refused(_CUT_OFF, is_sure=False)
