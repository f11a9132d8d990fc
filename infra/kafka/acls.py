"""What each role needs of brokers that ask: no more, and found by trying.

Only who may write to the topic is kept from forging events: give that to the relay
and to operators alone. ``READ`` and ``WRITE`` imply ``DESCRIBE``, and ``WRITE`` to any
topic what an idempotent producer needs of the cluster.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from infra.kafka.names import transactional_id_of, workers_of
from infra.settings.kafka import KafkaSettings

Operations = tuple[str, ...]

_READS: Final = ("READ",)
_WRITES: Final = ("READ", "WRITE")
_MAKES: Final = ("CREATE", "READ", "WRITE")

_ALL: Final = (*_MAKES, "DELETE")

ROLES: Final[Mapping[str, tuple[Operations, Operations]]] = {
    "relay": (_MAKES, _WRITES),
    "worker": (_READS, _READS),
    "projector": (_READS, _READS),
    "analytics": (_READS, _READS),
    "operator": (_ALL, _ALL),
    "reader": (_READS, _READS),
}
"""What each may do with the topic of the first generation, and with later ones."""


class Acl(msgspec.Struct, frozen=True):
    """What one principal may do with one thing, in Kafka's own words.

    ``name`` is the thing's or, where ``pattern`` is PREFIXED, how it begins.
    """

    principal: str
    resource: str
    pattern: str
    name: str
    operations: Operations

    @property
    def words(self) -> list[str]:
        """What ``kafka-acls.sh`` is to be told."""
        pairs = [("--operation", each.title()) for each in self.operations]
        kind = self.resource.lower().replace("_", "-")
        return [
            *("--add", "--allow-principal", self.principal),
            *(word for pair in pairs for word in pair),
            *(f"--{kind}", self.name),
            *("--resource-pattern-type", self.pattern.lower()),
        ]


def acls_of(
    settings: KafkaSettings, principals: Mapping[str, str], group: str | None = None
) -> list[Acl]:
    """Return what roles need, each as its principal: ``User:...``.

    ``group`` is the consumer group of the reader, if that has one.
    """
    found: list[Acl] = []
    for role, who in principals.items():
        first, later = ROLES[role]
        found += _generations(who, "TOPIC", settings.kafka_topic, first, later)
        if "WRITE" in first:
            one = transactional_id_of(settings, settings.kafka_topic)
            writes = ("WRITE",)
            found += _generations(who, "TRANSACTIONAL_ID", one, writes, writes)
        if role == "operator":  # who sees all groups deletes no topic that one reads
            found.append(Acl(who, "GROUP", "LITERAL", "*", ("DESCRIBE",)))
        if role == "worker":
            letters = settings.kafka_dead_letters_topic
            found += [
                Acl(who, "GROUP", "LITERAL", workers_of(settings), _READS),
                Acl(who, "TOPIC", "LITERAL", letters, ("CREATE", "WRITE")),
            ]
        if role == "reader" and group is not None:
            found.append(Acl(who, "GROUP", "LITERAL", group, _READS))
    return found


def principal_of(settings: KafkaSettings, role: str) -> str:
    """Return who a role is unless told otherwise, as in ``User:palimpsest-relay``."""
    return f"User:{settings.kafka_group_prefix}-{role}"


def _generations(
    who: str, resource: str, name: str, first: Operations, later: Operations
) -> list[Acl]:
    """Name the first generation, and all that will follow it."""
    return [
        Acl(who, resource, "LITERAL", name, first),
        Acl(who, resource, "PREFIXED", f"{name}-g", later),
    ]
