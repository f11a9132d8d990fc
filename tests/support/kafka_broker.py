"""A real Apache Kafka for tests: fetched by Maven, formatted, started, stopped.

``KAFKA_BOOTSTRAP_SERVERS`` uses a broker of your own instead. The jars are kept in a
cache folder, so Maven is asked once a machine.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kafka import KafkaAdminClient

from infra.kafka.connecting import connecting
from tests.support.ports import free_port

VERSION = "4.2.0"
READY_WITHIN = 120.0
STOPPED_WITHIN = 60.0

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>palimpsest</groupId><artifactId>broker</artifactId><version>1</version>
<packaging>pom</packaging>
<dependencies><dependency>
<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
<version>{VERSION}</version>
</dependency></dependencies>
</project>
"""

_COPY = ("mvn", "-B", "-q", "dependency:copy-dependencies")

_SERVER = """
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
inter.broker.listener.name=INSIDE
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:{port},INSIDE://127.0.0.1:{inside},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{advertised},INSIDE://127.0.0.1:{inside}
log.dirs={data}
auto.create.topics.enable=false
num.partitions=1
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.num.partitions=4
offsets.topic.replication.factor={replicas}
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
unclean.leader.election.enable=false
log.cleaner.dedupe.buffer.size=2097152
num.network.threads=2
num.io.threads=2
"""

_LOGGING = """<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="ERROR"><Appenders><Console name="out" target="SYSTEM_OUT">
<PatternLayout pattern="%d %p %c{1}: %m%n"/></Console></Appenders>
<Loggers><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers></Configuration>
"""


def jars() -> Path:
    """Return the folder of Kafka's jars; fetched if they are not there.

    Raises:
        RuntimeError: Maven could not have them.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "palimpsest-kafka" / VERSION
    if not (folder / f"kafka_2.13-{VERSION}.jar").exists():
        _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        (Path(work) / "pom.xml").write_text(_POM)
        fetched = subprocess.run(
            [*_COPY, f"-DoutputDirectory={work}/jars"],
            cwd=work,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if fetched.returncode != 0:
            raise RuntimeError(f"Maven has no Kafka: {fetched.stdout[-2000:]}")
        with contextlib.suppress(OSError):  # another run was first
            (Path(work) / "jars").rename(folder)


@dataclass
class Broker:
    """One node, broker and controller in one; may be killed and started again.

    ``advertised`` is the port clients are told to come to, where that is a proxy's;
    brokers among themselves use ports of their own. ``further`` are lines of its
    configuration that win over ours, ``users`` what ``--add-scram`` is told.
    """

    folder: Path
    node: int = 1
    port: int = field(default_factory=free_port)
    inside: int = field(default_factory=free_port)
    controller: int = field(default_factory=free_port)
    advertised: int | None = None
    process: subprocess.Popen[bytes] | None = None
    further: str = ""
    users: Sequence[str] = ()

    @property
    def address(self) -> str:
        """Where clients come to."""
        return f"127.0.0.1:{self.advertised or self.port}"

    def prepare(self, cluster: str, nodes: Sequence["Broker"]) -> None:
        """Write its configuration and format its storage, once."""
        self.folder.mkdir(parents=True)
        replicas = min(len(nodes), 3)
        voters = ",".join(f"{n.node}@127.0.0.1:{n.controller}" for n in nodes)
        (self.folder / "server.properties").write_text(
            _SERVER.format(
                node=self.node,
                voters=voters,
                port=self.port,
                inside=self.inside,
                advertised=self.advertised or self.port,
                controller=self.controller,
                data=self.folder / "data",
                replicas=replicas,
                in_sync=max(1, replicas - 1),
            )
            + self.further
        )
        (self.folder / "log4j2.xml").write_text(_LOGGING)
        # One that begins with a dash would be taken for an option.
        arguments = ("format", f"--cluster-id={cluster}", "-c", self._properties)
        users = [f"--add-scram={each}" for each in self.users]
        formatted = subprocess.run(
            self._java("kafka.tools.StorageTool", *arguments, *users),
            capture_output=True,
            text=True,
            check=False,
        )
        assert formatted.returncode == 0, formatted.stdout + formatted.stderr

    def launch(self) -> None:
        """Start it; see :func:`until_ready`."""
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._java("kafka.Kafka", self._properties),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop, and see that it does."""
        try:
            self._end(signal.SIGTERM)
        except subprocess.TimeoutExpired:
            self.kill()

    def freeze(self) -> None:
        """Let it neither answer nor close its connections, until ``thaw``."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        return (self.folder / "broker.log").read_text()

    @property
    def _properties(self) -> str:
        return str(self.folder / "server.properties")

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(STOPPED_WITHIN)

    def _java(self, main: str, *arguments: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.xml'}"
        memory = ("-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
        return ["java", *memory, logging, "-cp", f"{jars()}/*", main, *arguments]


@dataclass
class Cluster:
    """One broker or three, on loopback ports nobody else uses."""

    brokers: list[Broker]

    @property
    def servers(self) -> str:
        """What ``KAFKA_BOOTSTRAP_SERVERS`` is set to."""
        return ",".join(each.address for each in self.brokers)

    def leader_of(self, topic: str, partition: int = 0) -> Broker:
        """Return the broker that leads a partition."""
        admin = KafkaAdminClient(
            bootstrap_servers=self.servers, kafka_client=connecting
        )
        try:
            [told] = admin.describe_topics([topic])
        finally:
            admin.close()
        [leader] = [
            each["leader_id"]
            for each in told["partitions"]
            if each["partition_index"] == partition
        ]
        return next(each for each in self.brokers if each.node == leader)


@contextlib.contextmanager
def kafka_cluster(
    folder: Path,
    nodes: int = 1,
    *,
    behind: Callable[[int], int] = int,
    further: Callable[[Broker], str] = lambda _: "",
    users: Sequence[str] = (),
) -> Iterator[Cluster]:
    """Start so many brokers that know each other; stop them at the end.

    ``behind`` tells the port clients are to be told of for a broker's own: a proxy's.
    ``further`` and ``users`` are told in :class:`Broker`.
    """
    brokers = [Broker(folder / f"broker-{n}", n) for n in range(1, nodes + 1)]
    for each in brokers:
        each.advertised = behind(each.port)
        each.further, each.users = further(each), users
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    try:
        for each in brokers:
            each.prepare(cluster, brokers)
        for each in brokers:
            each.launch()
        for each in brokers:
            until_ready(each)
        yield Cluster(brokers)
    finally:
        for each in brokers:
            each.stop()
        shutil.rmtree(folder, ignore_errors=True)


def until_ready(broker: Broker) -> None:
    """Wait until a broker answers."""
    deadline = time.monotonic() + READY_WITHIN
    while True:
        assert broker.process is not None
        if broker.process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(broker.log()[-4000:])
        # kafka-python leaves the socket of a refused connection to the collector.
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", broker.port), timeout=1).close()
            break
        time.sleep(0.05)
    KafkaAdminClient(bootstrap_servers=broker.address, kafka_client=connecting).close()
