"""CloudEvents of what is told: who, what, when, and an id that is made once (RS 11.1).

The id is the domain event's where one stands for one; else ``evt_`` and a hash of
what it is of. So what is sent twice can be told from what happened twice.
"""

from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from infra.telemetry.told import Told

_FORMAT: Final = JSONFormat()

_ITSELF: Final = frozenset(
    {
        *("message.created", "representation.completed", "dialectic.completed"),
        *("dream.run", "dream.specialist", "agent.tool.summary.created"),
        *("deletion.completed", "llm.call.completed", "embedding.call.completed"),
    }
)
"""Types of which a domain event tells one at most."""


class Envelopes:
    """Writes CloudEvents of one deployment."""

    def __init__(self, namespace: str, release: str) -> None:
        self._namespace = quote(namespace, safe="")
        self._release = release

    def of_event(self, told: Told) -> bytes:
        """Write what an event of the log tells."""
        recorded = told.of
        id_ = (
            str(recorded.id)
            if told.type in _ITSELF
            else made_id(
                told.type,
                f"{recorded.id}/{told.part}",
                recorded.recorded_at,
                told.version,
            )
        )
        return self.write(
            id_, told.type, told.version, recorded.recorded_at, dict(told.data)
        )

    def write(
        self, id_: str, type_: str, version: int, at: datetime, data: dict[str, Any]
    ) -> bytes:
        """Write one in the JSON format."""
        category = type_.partition(".")[0]
        attributes = {
            "id": id_,
            "source": f"/palimpsest/{self._namespace}/{category}",
            "type": type_,
            "time": at,
            "datacontenttype": "application/json",
            "dataschema": f"urn:palimpsest:telemetry:{type_}:{version}",
            "dataversion": str(version),
            "serverversion": self._release,
        }
        return _FORMAT.write(CloudEvent(attributes, data))


def made_id(type_: str, resource: str, at: datetime, version: int) -> str:
    """Return the id of what no single event stands for, the same each time."""
    told = f"{type_}\n{resource}\n{at.isoformat()}\n{version}"
    digest = sha256(told.encode()).digest()[:16]
    return f"evt_{urlsafe_b64encode(digest).decode().rstrip('=')}"
