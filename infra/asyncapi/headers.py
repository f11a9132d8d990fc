"""The headers of a record, told as schemas: what ``infra/kafka/record.py`` writes."""

from typing import Any, Final

import msgspec

_NUMBER: Final = r"^[0-9]+$"

HEADERS: Final[dict[str, dict[str, Any]]] = {
    "content-type": {"const": "application/json"},
    "ce_specversion": {"const": "1.0"},
    "ce_id": {"format": "uuid", "description": "The event's id, a UUID of version 7."},
    "ce_type": {
        "description": "The event's tag. A changed event has a new one, as in "
        "`message-added@2`; skip tags you do not know."
    },
    "ce_source": {"description": "`/palimpsest/` and the workspace."},
    "ce_subject": {
        "description": "The event's stream, `category-<workspace>[+<id>...]`."
    },
    "ce_time": {
        "format": "date-time",
        "description": "When it was recorded, to the microsecond; it never goes back "
        "as the position goes on. The record's timestamp is the same in milliseconds.",
    },
    "ce_position": {
        "pattern": _NUMBER,
        "description": "Its position in the log: 1, 2, 3 and so on over the whole "
        "topic, without gaps, and rising within a partition. What counts something "
        "keeps the last position it saw of each shard beside its counts: it holds in "
        "every generation.",
    },
    "ce_streamversion": {
        "pattern": _NUMBER,
        "description": "Its number within its stream, from 1, without gaps.",
    },
    "ce_shard": {
        "pattern": _NUMBER,
        "description": "0 to 1023, a hash of the key; its partition is "
        "shard * partitions / 1024, rounded down.",
    },
    "ce_tenant": {"description": "The workspace it belongs to."},
    "ce_content": {
        "enum": ["sealed", "clear"],
        "description": "In which of its two forms the value is.",
    },
    "ce_meta": {
        "contentMediaType": "application/json",
        "description": "Why it was recorded: `v`, `actor`, `correlation_id`, and where "
        "there are any `causation_id` (of an event or command), `command_id`, "
        "`trace_parent`.",
    },
}
"""By name, in the order they are written; each is UTF-8 text."""

SOMETIMES: Final[dict[str, dict[str, Any]]] = {
    "ce_damaged": {
        "const": "true",
        "description": "Only where the value was to be clear, and the event is damaged "
        "in the log: the value is what is stored, and may be no JSON.",
    },
}
"""The same, of headers that few records have; they come last."""


_OF_RECORD: Final = " Of a record that is no event."
_OF_KEY: Final = " Of an event that was parked, with all later ones of its key."

LETTER_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "letter-id": {
        "format": "uuid",
        "description": "The same letter has the same id: it may come more than once.",
    },
    "letter-reason": {"description": "Why nobody could handle it."},
    "letter-topic": {"description": "Where the record is." + _OF_RECORD},
    "letter-partition": {"pattern": _NUMBER, "description": _OF_RECORD.strip()},
    "letter-offset": {"pattern": _NUMBER, "description": _OF_RECORD.strip()},
    "letter-processor": {"description": "What could not handle it." + _OF_KEY},
    "letter-position": {"pattern": _NUMBER, "description": _OF_KEY.strip()},
    "letter-attempts": {"pattern": _NUMBER, "description": _OF_KEY.strip()},
}
"""By name; those of the record or event it is about stand before them."""


def letter_schema() -> dict[str, Any]:
    """Return the schema of the headers of a dead letter."""
    told = {**HEADERS, **SOMETIMES, **LETTER_HEADERS}
    return {
        "type": "object",
        "properties": {name: {"type": "string", **each} for name, each in told.items()},
        "required": ["letter-id", "letter-reason"],
    }


def headers_schema() -> dict[str, Any]:
    """Return the schema of all headers of a record of the topic."""
    return {
        "type": "object",
        "properties": {
            name: {"type": "string", **told}
            for name, told in (HEADERS | SOMETIMES).items()
        },
        "required": list(HEADERS),
    }


def header_example() -> dict[str, str]:
    """Return headers as they stand in a record."""
    return {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": "0199d3a0-0000-7000-8000-000000000001",
        "ce_type": "message-added",
        "ce_source": "/palimpsest/school",
        "ce_subject": "session-school+maths",
        "ce_time": "2026-11-28T09:30:00.123456+00:00",
        "ce_position": "81",
        "ce_streamversion": "7",
        "ce_shard": "513",
        "ce_tenant": "school",
        "ce_content": "sealed",
        "ce_meta": msgspec.json.encode(
            {
                "v": 1,
                "actor": "client",
                "correlation_id": "0199d3a0-0000-7000-8000-000000000002",
            }
        ).decode(),
    }
