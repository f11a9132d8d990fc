"""The AsyncAPI 3.0 document of the topics: where they are, and what stands in them."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

from domain.event import Event
from domain.events import EVENT_BY_TAG
from infra.asyncapi.event_schemas import Schema, event_schema, stored_events
from infra.asyncapi.headers import header_example, headers_schema, letter_schema
from infra.settings.kafka import KafkaSettings
from infra.upcasters import UPCASTERS

TITLE: Final = "Palimpsest events"
_SCHEMAS: Final = "#/components/schemas/"
_BINDING: Final = "0.5.0"

_INFO: Final = """\
Every event of a Palimpsest log, in the order of one session, peer or pair within a
partition and of positions over all of them. The log is what is true: the topic is a
copy, made by the relay, and can be made again. Consume with isolation level
`read_committed`."""

_EVENTS: Final = """\
One record for each event of the log. The first generation has this name; a later one
(`palimpsest relay repartition` or `rebuild-topic`) has it with `-g2`, `-g3` and so on:
the same events at the same positions, in other partitions. Only the one that serves
goes on; `palimpsest relay status` tells which that is. One that is over has no further
records: read it to its end, then the next, beyond the last position of each shard.
Records are never compacted and, unless you say otherwise, never thrown away."""


_OPERATIONS: Final = {
    "relayEvents": {
        "action": "send",
        "channel": {"$ref": "#/channels/events"},
        "summary": "The relay copies the log, every event once.",
    },
    "tellDeadLetters": {
        "action": "send",
        "channel": {"$ref": "#/channels/deadLetters"},
        "summary": "Workers tell of what they could not handle.",
    },
}


def document_of(
    settings: KafkaSettings,
    events: Mapping[str, type[Event]] | None = None,
) -> dict[str, Any]:
    """Return the document of a deployment; ``events`` are all that may be stored."""
    events = events or stored_events(EVENT_BY_TAG, UPCASTERS)
    schemas: dict[str, Schema] = {}
    for tag, event in events.items():
        schema, held = event_schema(event, _SCHEMAS + "{name}")
        schemas |= {**held, component(tag): schema}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:palimpsest:events",
        "info": {
            "title": TITLE,
            "version": version("palimpsest-memory"),
            "description": _INFO,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(settings),
        "channels": {
            "events": _channel(settings, events),
            "deadLetters": _letters(settings),
        },
        "operations": _OPERATIONS,
        "components": {
            "messages": {
                **{component(tag): _message(tag, events[tag]) for tag in events},
                "dead-letter": _LETTER,
            },
            "messageTraits": {"record": _TRAIT},
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": _security(settings),
        },
    }


def component(tag: str) -> str:
    """Return the name of a tag's message and schema: ``@`` may not stand in one."""
    return tag.replace("@", ".")


_TRAIT: Final[dict[str, Any]] = {
    "contentType": "application/json",
    "headers": headers_schema(),
    "bindings": {
        "kafka": {
            "key": {
                "type": "string",
                "description": "The ordering key: `workspace/session` for all that "
                "happens in or is derived from one session, else "
                "`workspace/observer/observed`, `workspace/peer/name`, "
                "`workspace/webhook/id` or `workspace`. Not an identity: many "
                "events have the same.",
            },
            "bindingVersion": _BINDING,
        }
    },
    "examples": [{"name": "headers", "headers": header_example()}],
}


def _message(tag: str, event: type[Event]) -> dict[str, Any]:
    words = (event.__doc__ or "").strip().splitlines()
    return {
        "name": tag,
        "title": event.__name__,
        "summary": words[0] if words else "",
        "payload": {"$ref": _SCHEMAS + component(tag)},
        "traits": [{"$ref": "#/components/messageTraits/record"}],
    }


def _channel(
    settings: KafkaSettings, events: Mapping[str, type[Event]]
) -> dict[str, Any]:
    messages = "#/components/messages/"
    return {
        "address": settings.kafka_topic,
        "description": _EVENTS,
        "messages": {
            component(tag): {"$ref": messages + component(tag)} for tag in events
        },
        "bindings": {
            "kafka": {
                "topic": settings.kafka_topic,
                "partitions": settings.kafka_partitions,
                "replicas": settings.kafka_replication_factor,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": -1,
                    "retention.bytes": -1,
                },
                "bindingVersion": _BINDING,
            }
        },
    }


_LETTER: Final[dict[str, Any]] = {
    "name": "dead-letter",
    "title": "DeadLetter",
    "summary": "Something could not be handled: a record, or the next event of a key.",
    "description": "Key and value are those of the record or event, what is personal "
    "sealed; no value where the log has no such event any more.",
    "headers": letter_schema(),
    "payload": {"description": "The value as it was, byte for byte."},
}


def _letters(settings: KafkaSettings) -> dict[str, Any]:
    address = settings.kafka_dead_letters_topic
    return {
        "address": address,
        "description": "What no worker could handle, at least once each. `palimpsest "
        "park list` tells of keys that stand still, and starts them again.",
        "messages": {"dead-letter": {"$ref": "#/components/messages/dead-letter"}},
        "bindings": {
            "kafka": {
                "topic": address,
                "partitions": 1,
                "replicas": settings.kafka_replication_factor,
                "bindingVersion": _BINDING,
            }
        },
    }


def _servers(settings: KafkaSettings) -> dict[str, Any]:
    """Tell where the brokers are; what opens them is not told."""
    found = (settings.kafka_bootstrap_servers or "").split(",")
    secure = settings.kafka_security_protocol.endswith("SSL")
    schemes = [
        {"$ref": f"#/components/securitySchemes/{name}"} for name in _security(settings)
    ]
    return {
        f"broker{number}": {
            "host": host.strip(),
            "protocol": "kafka-secure" if secure else "kafka",
            **({"security": schemes} if schemes else {}),
        }
        for number, host in enumerate(filter(None, found), start=1)
    }


def _security(settings: KafkaSettings) -> dict[str, Any]:
    if settings.kafka_security_protocol.startswith("SASL"):
        kinds = {
            "PLAIN": "plain",
            "SCRAM-SHA-256": "scramSha256",
            "SCRAM-SHA-512": "scramSha512",
        }
        return {"sasl": {"type": kinds[settings.kafka_sasl_mechanism]}}
    if settings.kafka_ssl_certfile:
        return {"certificate": {"type": "X509"}}
    return {}
