"""What a client is told of brokers, and what is refused before any is asked."""

import socket
import threading
from time import monotonic

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaTimeoutError
from typer.testing import CliRunner

from infra.cli.relay import relay
from infra.kafka.client import (
    CredentialsUnusable,
    NoBrokers,
    check_client,
    client_options,
)
from infra.settings import Settings
from tests.support.certificates import Authority

SECRET = "sesame-open"  # noqa: S105  of this test


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def settings(**given):
    servers = {"kafka_bootstrap_servers": "one:9092,two:9092"}
    return Settings(
        _env_file=None, **servers | {"kafka_security_protocol": "SSL"} | given
    )


def files(certificate, **further):
    return {
        "kafka_ssl_certfile": str(certificate.certfile),
        "kafka_ssl_keyfile": str(certificate.keyfile),
    } | further


def test_a_client_is_told_what_the_settings_say(authority):
    locked = authority.issue("locked", password=SECRET)
    given = settings(
        **files(locked, kafka_ssl_key_password=SECRET),
        kafka_ssl_cafile=str(authority.cafile),
        kafka_ssl_check_hostname=False,
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="PLAIN",
        kafka_sasl_username="us",
        kafka_sasl_password=SECRET,
    )
    check_client(given)
    told = client_options(given, "x")
    assert told["bootstrap_servers"] == ["one:9092", "two:9092"]
    assert {
        name: each for name, each in told.items() if name[:3] in {"ssl", "sas"}
    } == {
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "us",
        "sasl_plain_password": SECRET,
        "ssl_cafile": str(authority.cafile),
        "ssl_certfile": str(locked.certfile),
        "ssl_keyfile": str(locked.keyfile),
        "ssl_password": SECRET,
        "ssl_check_hostname": False,
    }


def test_a_key_in_the_file_of_its_certificate_needs_no_other(authority):
    check_client(settings(kafka_ssl_certfile=str(authority.issue("us").both)))


def test_without_brokers_nothing_is_checked():
    with pytest.raises(NoBrokers):
        check_client(settings(kafka_bootstrap_servers=None))


def refused(**given):
    with pytest.raises(CredentialsUnusable) as refusal:
        check_client(settings(**given))
    said = str(refusal.value)
    assert SECRET not in said
    assert "\n" not in said
    return said


def test_files_that_cannot_be_used_are_named(authority, tmp_path):
    garbage = tmp_path / "garbage"
    garbage.write_text("no certificate")
    missing = refused(kafka_ssl_cafile="/nowhere/ca.pem")
    assert missing == "KAFKA_SSL_CAFILE cannot be read: No such file or directory"
    assert refused(kafka_ssl_cafile=str(garbage)).startswith(
        "KAFKA_SSL_CAFILE cannot be used: "
    )
    ours = authority.issue("us", password=SECRET)
    for given in (
        files(ours),
        files(ours, kafka_ssl_key_password=f"not-{SECRET}"),
        files(ours, kafka_ssl_keyfile=str(authority.issue("other").keyfile)),
        files(ours, kafka_ssl_keyfile=str(garbage)),
    ):
        assert refused(**given).startswith(
            "KAFKA_SSL_CERTFILE and its key cannot be used: "
        )
    gone = refused(**files(ours, kafka_ssl_keyfile="/nowhere/key"))
    assert gone.startswith("KAFKA_SSL_CERTFILE and its key cannot be read: ")


def test_who_answers_nothing_to_tls_is_not_waited_for_without_a_bound():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        given = settings(kafka_bootstrap_servers=f"127.0.0.1:{mute.getsockname()[1]}")
        begun = monotonic()
        with pytest.raises(KafkaTimeoutError):
            KafkaAdminClient(**client_options(given, "x"), bootstrap_timeout_ms=500)
        assert monotonic() - begun < 60


@pytest.mark.parametrize("client", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_a_client_that_cannot_begin_leaves_no_thread(client):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        given = settings(
            kafka_bootstrap_servers=f"127.0.0.1:{mute.getsockname()[1]}",
            kafka_security_protocol="PLAINTEXT",
        )
        before = set(threading.enumerate())
        with pytest.raises(KafkaTimeoutError):
            client(**client_options(given, "x"), bootstrap_timeout_ms=200)
        assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("command", ["run", "verify", "rebuild-topic"])
def test_a_command_says_so_in_one_line_and_ends(command):
    told = {
        "KAFKA_BOOTSTRAP_SERVERS": "one:9092",
        "KAFKA_SECURITY_PROTOCOL": "SSL",
        "KAFKA_SSL_CAFILE": "/nowhere/ca.pem",
        "DB_CONNECTION_URI": "postgresql://nobody@127.0.0.1:1/nothing",
    }
    ended = CliRunner(env=told).invoke(relay, [command])
    assert ended.exit_code == 2
    [line] = ended.stderr.splitlines()
    assert line == (
        "palimpsest: KAFKA_SSL_CAFILE cannot be read: No such file or directory"
    )
