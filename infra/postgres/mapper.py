"""Events to stored events and back, behind the Mapper interface of ``eventsourcing``.

The library's topic is our tag, its originator our stream. Personal fields are sealed
on the way in and opened on the way out under the key each event is given; former
shapes are read as those of today; an unknown type is kept raw.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from eventsourcing.persistence import Mapper, StoredEvent

from domain.event import Event, Subject, tag_of
from domain.recorded import Cause
from infra.codec.errors import UNDECODABLE, Unreadable
from infra.codec.seal import DataKey, place_of
from infra.codec.shape import Sealing, Shape, Split, with_seal, without_seal
from infra.codec.transcoder import StructTranscoder
from infra.codec.unknown import Unknown
from infra.upcasters import Upcaster, upcast

_LARGEST: Final = 2**63 - 1
"""The highest number a key can have in its table."""


class Draft(msgspec.Struct):
    """An event on its way in, encoded and waiting for its key.

    ``originator_version`` is 0 until the log has numbered it; ``subject`` says whose
    key it needs, None for an event with nothing personal; ``stored`` is it, sealed.
    ``cause`` and ``meta`` (it, encoded) are its own, None to have the request's.
    """

    originator_id: str
    originator_version: int
    tenant: str
    id: UUID
    tag: str
    event: Event
    split: Split
    subject: Subject | None = None
    key: DataKey | None = None
    stored: StoredEvent | None = None
    cause: Cause | None = None
    meta: bytes | None = None


class Envelope(msgspec.Struct, frozen=True):
    """An event that came out of the log."""

    originator_id: str
    originator_version: int
    event: Event


@dataclass(frozen=True)
class SealedEvent(StoredEvent):
    """A stored event with what its seal is bound to, and the key if there is one."""

    tenant: str
    event_id: UUID
    sealing: Sealing
    key: DataKey | None = None


class StructMapper(Mapper[Any]):
    """Maps between structs and stored events; ``events`` is what may be stored."""

    def __init__(
        self,
        events: Mapping[str, type[Event]],
        upcasters: Mapping[str, Upcaster],
    ) -> None:
        structs = StructTranscoder()
        super().__init__(structs)
        self._structs = structs
        former = {tag: step.old for tag, step in upcasters.items()}
        self._shapes = {
            tag: Shape(event) for tag, event in {**former, **events}.items()
        }
        self._upcasters = upcasters

    def split(self, event: Event) -> Split:
        """Encode an event's clear and personal parts.

        Raises:
            ValueError: this type of event may not be stored, or a value in it.
        """
        shape = self._shapes.get(tag_of(event))
        if shape is None:
            raise ValueError(f"{type(event).__name__} is not an event of the log")
        try:
            return shape.split(event)
        except (OverflowError, TypeError, RecursionError) as error:
            raise ValueError(
                f"{type(event).__name__} holds what JSON cannot"
            ) from error

    def sealing_of(self, tag: str, data: bytes) -> Sealing:
        """Tell which key stored data needs; none if its type is clear or unknown.

        Raises:
            Unreadable
        """
        shape = self._shapes.get(tag)
        if shape is None or not shape.is_personal:
            return Sealing()
        try:
            sealing = self._structs.decode_as(data, Sealing)
        except UNDECODABLE as error:
            raise Unreadable("Stored data is not a JSON object") from error
        if not 0 <= sealing.key <= _LARGEST:
            raise Unreadable("Stored data names a key that cannot be")
        return sealing

    def to_stored_event(self, domain_event: Draft) -> StoredEvent:  # type: ignore[override]  # drafts carry more
        """Seal a draft whose key, if it needs one, has been set."""
        draft, data = domain_event, domain_event.split.clear
        if draft.split.personal is not None:
            key = draft.key
            if key is None:
                raise ValueError("A personal event has no key to seal it")
            place = place_of(
                draft.tenant, draft.originator_id, draft.tag, draft.id, key.number
            )
            data = with_seal(data, key.number, key.seal(draft.split.personal, place))
        return StoredEvent(
            draft.originator_id, draft.originator_version, draft.tag, data
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Envelope:
        """Open, decode and upcast; a sealed event without its key reads as erased.

        Raises:
            Unreadable: the bytes do not match the type, the seal is broken, or it
                cannot be read as an event of today.
        """
        if not isinstance(stored_event, SealedEvent):
            raise TypeError("Only events of the log, with their ids, can be opened")
        return Envelope(
            str(stored_event.originator_id),
            stored_event.originator_version,
            self._open(stored_event),
        )

    def clear_data(self, stored: SealedEvent) -> bytes | None:
        """Return stored data with its personal fields where the seal was.

        None where there is none to be had: erased, or of an unknown type.

        Raises:
            Unreadable: the seal is broken.
        """
        shape = self._shapes.get(stored.topic)
        if shape is None:
            return None
        if not shape.is_personal:
            return stored.state
        personal = _personal(stored)
        return None if personal is None else without_seal(stored.state, personal)

    def _open(self, stored: SealedEvent) -> Event:
        shape = self._shapes.get(stored.topic)
        if shape is None:
            return Unknown(
                workspace=stored.tenant, stored_type=stored.topic, raw=stored.state
            )
        try:
            event = shape.join(stored.state, _personal(stored))
        except UNDECODABLE as error:
            raise Unreadable(f"A stored {stored.topic} does not decode") from error
        return upcast(event, self._upcasters)


def _personal(stored: SealedEvent) -> bytes | None:
    """Return the personal part, opened; None without its key."""
    if stored.key is None:
        return None
    place = place_of(
        stored.tenant,
        str(stored.originator_id),
        stored.topic,
        stored.event_id,
        stored.sealing.key,
    )
    return stored.key.open(stored.sealing.sealed, place)
