"""Topics on the brokers: made as the log wants them kept, looked at, deleted."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Final, TypeVar

from kafka import KafkaAdminClient
from kafka.errors import (
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)

from infra.kafka.client import client_options
from infra.kafka.daemon import aside
from infra.kafka.generations import Generation, Generations
from infra.settings.kafka import KafkaSettings

T = TypeVar("T")

LARGEST: Final = 16 * 2**20
"""Bytes a record may have; a message is 25,000 characters, an event at most a few."""

_FOR_EVER: Final = str(2**63 - 1)
_WITHIN: Final = 10_000
"""Milliseconds a broker has to answer."""


async def serving_generation(
    generations: Generations, settings: KafkaSettings
) -> Generation:
    """Return the generation that serves; the first one is made where there is none.

    Its topic may be there already, made by hand: then it keeps its partitions.

    Raises:
        NoBrokers, kafka.errors.KafkaError: no broker does what is asked.
    """
    while (found := await generations.serving()) is None:
        partitions = await make_topic(
            settings, generations.first_topic, settings.kafka_partitions
        )
        await generations.begin(partitions)
    return found


async def make_topic(settings: KafkaSettings, topic: str, partitions: int) -> int:
    """Make a topic that keeps everything, unless it exists; return its partitions.

    Raises:
        NoBrokers, kafka.errors.KafkaError
    """
    wanted = {
        topic: {
            "num_partitions": partitions,
            "replication_factor": settings.kafka_replication_factor,
            "configs": _configs(settings.kafka_replication_factor),
        }
    }

    def make(admin: KafkaAdminClient) -> int:
        try:
            admin.create_topics(wanted, wait_for_metadata=True)
        except TopicAlreadyExistsError:
            admin.wait_for_topics([topic], _WITHIN)
        except TopicAuthorizationFailedError:  # theirs quotes all that was asked
            raise TopicAuthorizationFailedError({topic}) from None
        return _partitions(admin, topic) or partitions

    return await _asked(settings, make)


async def partitions_of(settings: KafkaSettings, topic: str) -> int | None:
    """Return how many partitions a topic has, None where there is no such topic.

    Raises:
        NoBrokers, kafka.errors.KafkaError
    """
    return await _asked(settings, lambda admin: _partitions(admin, topic))


async def delete_topic(settings: KafkaSettings, topic: str) -> None:
    """Delete a topic, if there is one.

    Raises:
        NoBrokers, kafka.errors.KafkaError
    """

    def delete(admin: KafkaAdminClient) -> None:
        try:
            admin.delete_topics([topic])
        except UnknownTopicOrPartitionError:
            return
        except TopicAuthorizationFailedError:
            raise TopicAuthorizationFailedError({topic}) from None

    await _asked(settings, delete)


async def members_of(settings: KafkaSettings, topic: str) -> list[str]:
    """Return the consumer groups that have members with partitions of a topic now.

    Raises:
        NoBrokers, kafka.errors.KafkaError
    """

    def members(admin: KafkaAdminClient) -> list[str]:
        groups = [each["group_id"] for each in admin.list_groups()]
        found = admin.describe_groups(groups) if groups else {}
        return sorted(name for name, told in found.items() if _reads(told, topic))

    return await _asked(settings, members)


def _reads(group: Mapping[str, Any], topic: str) -> bool:
    """Tell whether a group, as brokers describe it, reads a topic."""
    for member in group["members"]:
        assigned = member["member_assignment"] or {}
        if any(each["topic"] == topic for each in assigned["assigned_partitions"]):
            return True
    return False


async def _asked(settings: KafkaSettings, ask: Callable[[KafkaAdminClient], T]) -> T:
    """Ask in a thread, with a client for this question alone."""

    def in_thread() -> T:
        options = client_options(settings, "admin")
        with closing(
            KafkaAdminClient(
                **options, request_timeout_ms=_WITHIN, bootstrap_timeout_ms=_WITHIN // 2
            )
        ) as admin:
            return ask(admin)

    return await aside(in_thread)


def _partitions(admin: KafkaAdminClient, topic: str) -> int | None:
    [told] = admin.describe_topics([topic])
    if told["error_code"] == UnknownTopicOrPartitionError.errno:
        return None
    if told["error_code"]:
        error: type[KafkaError] = for_code(told["error_code"])
        raise error(topic)
    return len(told["partitions"])


def _configs(replicas: int) -> dict[str, str]:
    """Return how a topic of the log is kept: all of it, under the times of the log."""
    return {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "message.timestamp.type": "CreateTime",
        # Neither a log of years nor a clock that is ahead is refused.
        "message.timestamp.before.max.ms": _FOR_EVER,
        "message.timestamp.after.max.ms": _FOR_EVER,
        "max.message.bytes": str(LARGEST),
        "min.insync.replicas": str(max(1, replicas - 1)),
    }
