"""The proxy the fault tests rely on does to a line what its name says."""

import contextlib
import socket
import threading
import time

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from infra.kafka.connecting import connecting
from tests.support.kafka_broker import kafka_cluster
from tests.support.proxy import proxied


@pytest.fixture
def echo():
    """The port of a server that says everything again."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(line):
            with line, contextlib.suppress(OSError):
                while said := line.recv(65536):
                    line.sendall(said)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    line, _ = server.accept()
                    threading.Thread(target=answer, args=(line,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(echo):
    with proxied(echo) as proxy:
        yield proxy


def connect(proxy):
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=60)


def says(line, word):
    line.sendall(word)
    return line.recv(100) == word


def ends(line):
    try:
        line.sendall(b"there?")
        return line.recv(1) == b""
    except OSError:
        return True


def refused(proxy):
    """Whether a new connection is, at once or as soon as anything is said."""
    try:
        with connect(proxy) as line:
            return ends(line)
    except ConnectionResetError:
        return True


def test_what_is_sent_comes_through_and_large_things_whole(proxy):
    with connect(proxy) as line:
        assert says(line, b"hello")
        sent = b"x" * 3_000_000
        threading.Thread(target=line.sendall, args=(sent,), daemon=True).start()
        came = 0
        while came < len(sent):
            came += len(line.recv(65536))


def test_cut_it_ends_what_there_is_and_takes_nothing_until_it_is_mended(proxy):
    with connect(proxy) as line:
        assert says(line, b"one")
        proxy.cut()
        assert ends(line)
    assert refused(proxy)
    proxy.mend()
    with connect(proxy) as line:
        assert says(line, b"two")


def test_reset_it_ends_what_there_is_and_takes_new_ones(proxy):
    with connect(proxy) as line:
        assert says(line, b"one")
        proxy.reset()
        assert ends(line)
    with connect(proxy) as line:
        assert says(line, b"two")


def test_stalled_it_keeps_what_is_sent_for_later(proxy):
    with connect(proxy) as line, connect(proxy) as other:
        assert says(line, b"one")
        proxy.stall()
        line.sendall(b"two")
        other.settimeout(0.2)
        other.sendall(b"three")
        with pytest.raises(TimeoutError):
            other.recv(5)
        proxy.mend()
        assert line.recv(10) == b"two"


def test_slowed_it_takes_its_time(proxy):
    with connect(proxy) as line:
        proxy.slow(0.1)
        begun = time.monotonic()
        assert says(line, b"one")
        assert time.monotonic() - begun >= 0.2


@pytest.mark.kafka
def test_a_broker_that_advertises_it_is_reached_through_it_only(tmp_path):
    with contextlib.ExitStack() as running:
        proxies = []

        def behind(port):
            proxies.append(running.enter_context(proxied(port)))
            return proxies[-1].port

        cluster = running.enter_context(kafka_cluster(tmp_path / "k", behind=behind))
        [proxy] = proxies
        admin = KafkaAdminClient(
            bootstrap_servers=cluster.servers, kafka_client=connecting
        )
        admin.create_topics([NewTopic("t", 1, 1)])
        [told] = admin.describe_cluster()["brokers"]
        admin.close()
        assert told["port"] == proxy.port
        proxy.cut()
        assert refused(proxy)
