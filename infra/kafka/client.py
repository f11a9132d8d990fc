"""What every client of kafka-python is told: where the brokers are, and who we are."""

import logging
import ssl
from typing import Any

from infra.settings.kafka import KafkaSettings


class NoBrokers(Exception):  # noqa: N818  says what is missing
    """``KAFKA_BOOTSTRAP_SERVERS`` is not set."""


class CredentialsUnusable(Exception):  # noqa: N818  says what they are
    """A file of ``KAFKA_SSL_...`` cannot be used; ``str()`` names the setting."""


def client_options(settings: KafkaSettings, name: str) -> dict[str, Any]:
    """Return the arguments common to producers, consumers and admin clients.

    ``name`` is the client id brokers show in their metrics and quotas.

    Raises:
        NoBrokers
    """
    from infra.kafka.connecting import connecting  # noqa: PLC0415  its packages

    servers = _servers(settings)
    # While a broker is away it repeats itself many times a second; we say it once.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    options: dict[str, Any] = {
        "bootstrap_servers": servers,
        "client_id": f"{settings.kafka_group_prefix}.{name}",
        "security_protocol": settings.kafka_security_protocol,
        "kafka_client": connecting,
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_sasl_password
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": password and password.get_secret_value(),
        }
    if settings.kafka_security_protocol.endswith("SSL"):
        locked = settings.kafka_ssl_key_password
        options |= {
            "ssl_cafile": settings.kafka_ssl_cafile,
            "ssl_certfile": settings.kafka_ssl_certfile,
            "ssl_keyfile": settings.kafka_ssl_keyfile,
            # Never None: OpenSSL would ask whoever sits at the terminal.
            "ssl_password": locked.get_secret_value() if locked else "",
            "ssl_check_hostname": settings.kafka_ssl_check_hostname,
        }
    return options


def sender_options(settings: KafkaSettings, name: str) -> dict[str, Any]:
    """Return those of a producer.

    Raises:
        NoBrokers
    """
    from infra.kafka.connecting import sending  # noqa: PLC0415  its packages

    return client_options(settings, name) | {"kafka_client": sending}


def check_client(settings: KafkaSettings) -> None:
    """See at the start that brokers are named, and that our files can be used.

    Later each connection reads them anew: renewed ones count without a restart.

    Raises:
        NoBrokers, CredentialsUnusable
    """
    _servers(settings)
    if not settings.kafka_security_protocol.endswith("SSL"):
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusted, ours = settings.kafka_ssl_cafile, settings.kafka_ssl_certfile
    if trusted is not None:
        try:
            context.load_verify_locations(trusted)
        except OSError as error:
            said = _unusable("KAFKA_SSL_CAFILE", error)
            raise CredentialsUnusable(said) from None
    if ours is not None:
        locked = settings.kafka_ssl_key_password
        secret = "" if locked is None else locked.get_secret_value()
        try:
            context.load_cert_chain(ours, settings.kafka_ssl_keyfile, secret)
        except (OSError, ValueError) as error:
            said = _unusable("KAFKA_SSL_CERTFILE and its key", error)
            raise CredentialsUnusable(said) from None


def _servers(settings: KafkaSettings) -> list[str]:
    if not settings.kafka_bootstrap_servers:
        raise NoBrokers("KAFKA_BOOTSTRAP_SERVERS is not set")
    return settings.kafka_bootstrap_servers.split(",")


def _unusable(name: str, error: Exception) -> str:
    """Say which file and why; ``ssl`` errors are OSErrors, of numbers of its own."""
    if isinstance(error, ssl.SSLError) or not isinstance(error, OSError):
        reason = getattr(error, "reason", None) or "not what it should be"
        return f"{name} cannot be used: {reason.replace('_', ' ').lower()}"
    return f"{name} cannot be read: {error.strerror}"
