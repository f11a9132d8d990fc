"""A fleet, its brokers behind proxies, and all that was said to it so far."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.fleet import Fleet, running_fleet
from tests.support.fleet_law import assert_lawful, no_error_nobody_foresaw
from tests.support.kafka import environment_apart, variables
from tests.support.kafka_broker import Cluster, kafka_cluster
from tests.support.proxy import Proxy, proxied
from tests.support.talk import Talk
from tests.support.topic_law import assert_topic_equals_log


@dataclass
class Deployment:
    """``foreign`` and ``again`` count records that tests put into the topic.

    Those of the first are not what the log holds, those of the second repeat what is
    there. ``group`` is the consumer group of the workers.
    """

    fleet: Fleet
    cluster: Cluster
    proxies: list[Proxy]
    topic: str
    dead_letters: str
    group: str
    talks: list[Talk] = field(default_factory=list)
    foreign: int = 0
    again: int = 0

    def talk(
        self,
        messages: int,
        sessions: int,
        *,
        rate: float | None = None,
        seed: int = 0,
        concluded: Callable[[int], str] | None = None,
    ) -> Talk:
        """Begin to say so much, in a workspace of its own."""
        workspace = f"w{len(self.talks) + 1}"
        urls = self.fleet.urls
        talk = Talk(urls, workspace, messages, sessions, seed, rate, concluded)
        self.talks.append(talk)
        talk.start()
        return talk

    @property
    def proxy(self) -> Proxy:
        """What stands before the only broker."""
        [proxy] = self.proxies
        return proxy

    def assert_lawful(self) -> None:
        """Wait until it is quiet; then all that holds of a fleet and its topic does."""
        for each in self.talks:
            each.finish()
        assert_lawful(self.fleet, *self.talks)
        assert_topic_equals_log(
            self.cluster.servers,
            self.topic,
            self.fleet.postgres.dsn,
            foreign=self.foreign,
            again=self.again,
        )
        no_error_nobody_foresaw(self.fleet)

    def verify(self) -> None:
        """What an operator would ask: the chain, every view, every record."""
        report = json.loads(self.fleet.run_once("verify", "--all", "--json"))
        assert report["ok"], report


@contextlib.contextmanager
def deployed(
    roles: Mapping[str, int],
    *,
    nodes: int = 1,
    told: Mapping[str, str] | None = None,
    fields: Mapping[str, object] | None = None,
) -> Iterator[Deployment]:
    """A ready deployment of its own, brokers included; everything ends well.

    ``fields`` are settings of Kafka beyond those that keep it apart, ``told`` is what
    every process finds in its environment besides.
    """
    proxies: list[Proxy] = []
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-brokers-"))
    with contextlib.ExitStack() as running:
        running.callback(shutil.rmtree, folder, ignore_errors=True)

        def behind(port: int) -> int:
            proxies.append(running.enter_context(proxied(port)))
            return proxies[-1].port

        cluster = running.enter_context(
            kafka_cluster(folder / "kafka", nodes, behind=behind)
        )
        apart = environment_apart(cluster.servers) | dict(fields or {})
        environment = variables(apart) | dict(told or {})
        fleet = running.enter_context(running_fleet(roles, environment))
        yield Deployment(
            fleet,
            cluster,
            proxies,
            str(apart["kafka_topic"]),
            str(apart["kafka_dead_letters_topic"]),
            f"{apart['kafka_group_prefix']}.workers",
        )
