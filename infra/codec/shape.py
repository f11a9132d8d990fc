"""How one event class is split into a clear and a personal part, and joined again.

Stored data is one JSON object: the clear fields as they are, the personal ones left
out and instead ``"key"``, the number of the data key, and ``"sealed"``, the base64 of
nonce and ciphertext of a JSON object of the personal fields. The tag stands in the
``type`` column only.
"""

from binascii import b2a_base64
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import inspect

from domain.event import ERASED, Event

_RESERVED = frozenset({"key", "sealed"})


class Sealing(msgspec.Struct, frozen=True):
    """What stored data says of its seal; a key of 0 means there is none."""

    key: int = 0
    sealed: bytes = b""


class Split(msgspec.Struct, frozen=True):
    """An event's two parts as JSON objects; no personal fields, no second part."""

    clear: bytes
    personal: bytes | None


class Shape:
    """One event class: which of its fields are ``personal``, and how they are left out.

    Raises:
        TypeError: a personal field is of a type that has no erased form, or hides
            inside another field, or a field's name is reserved.
    """

    def __init__(self, event: type[Event]) -> None:
        self.event = event
        info = inspect.type_info(event)
        fields = info.fields if isinstance(info, inspect.StructType) else ()
        _check(event, fields)
        personal = [f for f in fields if _is_personal(f.type)]
        clear = [f.encode_name for f in fields if not _is_personal(f.type)]
        self.personal = tuple(f.encode_name for f in personal)
        self.is_personal = bool(personal)
        self._clear = _part(f"{event.__name__}Clear", clear)
        self._personal = _part(f"{event.__name__}Personal", list(self.personal))
        erased = {f.encode_name: _erased(f.type) for f in personal}
        self._erased = msgspec.json.encode(erased)
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(event).decode

    def split(self, event: Event) -> Split:
        """Encode the clear and the personal fields apart."""
        clear = self._encode(self._clear(event))
        if not self.is_personal:
            return Split(clear, None)
        return Split(clear, self._encode(self._personal(event)))

    def join(self, stored: bytes, personal: bytes | None) -> Event:
        """Decode an event; ``None`` for a sealed part reads as erased.

        Raises:
            msgspec.DecodeError: the bytes are not those of this class.
        """
        if self.is_personal:
            stored = stored[:-1] + b"," + (personal or self._erased)[1:]
        return self._decode(stored)


def with_seal(clear: bytes, key: int, sealed: bytes) -> bytes:
    """Put the seal into the clear part: this is what is stored."""
    text = b2a_base64(sealed, newline=False)
    return b'%b,"key":%d,"sealed":"%b"}' % (clear[:-1], key, text)


def without_seal(stored: bytes, personal: bytes) -> bytes:
    """Put the personal part in the place of its seal; the key's number stays."""
    clear, _, _ = stored.rpartition(b',"sealed":"')
    return b"%b,%b" % (clear, personal[1:])


def _part(name: str, fields: list[str]) -> Callable[[Event], msgspec.Struct]:
    part = msgspec.defstruct(name, [(field, Any) for field in fields])
    if not fields:
        return lambda _event: part()
    if len(fields) == 1:
        only = attrgetter(fields[0])
        return lambda event: part(only(event))
    values = attrgetter(*fields)
    return lambda event: part(*values(event))


def _is_personal(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.Metadata) and bool(
        (kind.extra or {}).get("personal")
    )


def _erased(kind: inspect.Type) -> Any:
    match kind:
        case inspect.Metadata():
            return _erased(kind.type)
        case inspect.UnionType() if kind.includes_none:
            return None
        case inspect.StrType():
            return ERASED
        case inspect.DictType():
            return {}
        case (
            inspect.VarTupleType(item_type=inspect.StrType())
            | inspect.ListType(item_type=inspect.StrType())
        ):
            return [ERASED]
        case _:
            raise TypeError(f"A personal field of {kind} has no erased form")


def _check(event: type[Event], fields: tuple[inspect.Field, ...]) -> None:
    for field in fields:
        if field.encode_name in _RESERVED:
            raise TypeError(f"{event.__name__}.{field.name}: the name is reserved")
        outer = field.type
        if isinstance(outer, inspect.Metadata):
            outer = outer.type
        if any(_is_personal(inner) for inner in _within(outer, set())):
            raise TypeError(f"{event.__name__}.{field.name} hides a personal field")


def _within(kind: inspect.Type, seen: set[type]) -> Iterator[inspect.Type]:
    yield kind
    inner: list[inspect.Type] = []
    match kind:
        case inspect.StructType() if kind.cls not in seen:
            seen.add(kind.cls)
            inner = [field.type for field in kind.fields]
        case inspect.DictType():
            inner = [kind.key_type, kind.value_type]
        case inspect.UnionType():
            inner = list(kind.types)
        case inspect.TupleType():
            inner = list(kind.item_types)
        case inspect.VarTupleType() | inspect.ListType() | inspect.SetType():
            inner = [kind.item_type]
        case inspect.Metadata():
            inner = [kind.type]
        case _:
            pass
    for part in inner:
        yield from _within(part, seen)
