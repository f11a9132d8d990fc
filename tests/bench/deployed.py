"""A deployment to be measured: its processes, its broker, and what each kind takes."""

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import asyncpg
import psutil
from kafka import KafkaAdminClient
from kafka.errors import CoordinatorNotAvailableError
from rich.console import Console

from infra.postgres.view_readers import open_view_readers
from infra.standing import lags
from tests.support.fleet import Fleet
from tests.support.kafka import environment_apart, variables
from tests.support.kafka_broker import kafka_cluster

PARTITIONS = 12
WITHIN = 120.0
_KINDS = {
    "infra.embedder.worker": "embedder",
    "kafka.Kafka": "broker",
    "tests.bench.scripted_model": "model",
    "postgres": "postgres",
}
_tell = Console(stderr=True).log


def tell(words: str) -> None:
    """Say to who waits what is done now."""
    _tell(words, _stack_offset=2)


@contextlib.contextmanager
def broker() -> Iterator[str]:
    """Your broker (``KAFKA_BOOTSTRAP_SERVERS``), or one started for the run."""
    if yours := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield yours
        return
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-kafka-"))
    try:
        tell("a broker is started")
        with kafka_cluster(folder / "one") as cluster:
            yield cluster.servers
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Deployed:
    """A fleet, its settings, and whom to ask about it."""

    def __init__(self, fleet: Fleet, settings: Mapping[str, str]) -> None:
        self.fleet = fleet
        self.settings = settings

    @property
    def ports(self) -> list[int]:
        """Where it answers HTTP."""
        those = [each for role in ("up", "api") for each in self.fleet.of(role)]
        return [each.port for each in those if each.port]

    @property
    def group(self) -> str:
        return f"{self.settings['KAFKA_GROUP_PREFIX']}.workers"

    def processor_seconds(self) -> dict[str, float]:
        """What each kind of process has taken; ``bench`` is this client."""
        spent: dict[str, float] = defaultdict(float)
        for kind, process in _processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                spent[kind] += times.user + times.system
                if kind == "postgres":  # backends come and go
                    spent[kind] += times.children_user + times.children_system
        return dict(spent)

    def memory(self) -> dict[str, float]:
        """Proportional set size in MB."""
        sizes: dict[str, float] = defaultdict(float)
        for kind, process in _processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                sizes[kind] += process.memory_full_info().pss / 2**20
        return {kind: round(size, 1) for kind, size in sorted(sizes.items())}

    async def until_quiet(self, within: float = 600.0) -> float:
        """Wait until nobody is behind; return the seconds that took."""
        begun = time.monotonic()
        async with open_view_readers(self.fleet.postgres.dsn, size=1) as views:
            before = -1
            while True:
                head, consumers = await lags(views)
                behind = {each.name: each.lag_events for each in consumers}
                if head == before and not any(behind.values()):
                    return time.monotonic() - begun
                assert time.monotonic() - begun < within, (head, behind)
                before = head
                await asyncio.sleep(0.1)

    async def ask(self, question: str, *given: object) -> list[asyncpg.Record]:
        """Ask the database."""
        connection = await asyncpg.connect(self.fleet.postgres.dsn)
        try:
            return await connection.fetch(question, *given)
        finally:
            await connection.close()

    def until_assigned(self, members: int) -> None:
        """Wait until so many workers have all partitions among them."""
        admin = KafkaAdminClient(
            bootstrap_timeout_ms=30_000,
            bootstrap_servers=self.settings["KAFKA_BOOTSTRAP_SERVERS"],
        )
        deadline = time.monotonic() + WITHIN
        try:
            while (shares := _shares(admin, self.group)) is None or not (
                len(shares) == members and sum(shares) == PARTITIONS
            ):
                assert time.monotonic() < deadline, shares
                time.sleep(0.2)
        finally:
            admin.close()


def _shares(admin: KafkaAdminClient, group: str) -> list[int] | None:
    """How many partitions each member has; None while the group rebalances."""
    try:
        found = admin.describe_groups([group])[group]
    except CoordinatorNotAvailableError:  # a broker makes its group topic when asked
        return None
    if found["group_state"] != "Stable":
        return None
    return [
        sum(len(topic["partitions"]) for topic in assigned["assigned_partitions"])
        for each in found["members"]
        if (assigned := each["member_assignment"])
    ]


def _processes() -> Iterator[tuple[str, psutil.Process]]:
    """Everything below this process, and itself, with the kind it is of."""
    here = psutil.Process()
    yield "bench", here
    for process in here.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            words = process.cmdline()
            if "infra.main" in words:
                yield words[words.index("infra.main") + 1], process
                continue
            line = " ".join(words)
            found = [kind for part, kind in _KINDS.items() if part in line]
            yield (found or ["other"])[0], process


def taken(before: Mapping[str, float], after: Mapping[str, float], by: float = 1):
    """Milliseconds of processor time of each kind, for each of ``by`` things."""
    return {
        kind: round(1000 * (spent - before.get(kind, 0)) / by, 3)
        for kind, spent in sorted(after.items())
        if spent - before.get(kind, 0) > 0
    }


@contextlib.contextmanager
def deployed(
    roles: Mapping[str, int], servers: str | None, **told: str
) -> Iterator[Deployed]:
    """Processes of these roles, fed by Kafka where servers are named; all ready."""
    settings = {"FEED_TYPE": "postgres"}
    if servers is not None:
        apart = environment_apart(servers) | {"kafka_partitions": PARTITIONS}
        settings = variables(apart)
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-bench-"))
    fleet = Fleet(folder, settings | told)
    try:
        fleet.start(roles)
        yield Deployed(fleet, settings | told)
    finally:
        fleet.stop()
        shutil.rmtree(folder, ignore_errors=True)


def spread(times: list[float]) -> dict[str, float]:
    """Tell the median and the 99th percentile of milliseconds."""
    times = sorted(times)
    return {
        "median": round(times[len(times) // 2], 1),
        "p99": round(times[min(int(len(times) * 0.99), len(times) - 1)], 1),
    }
