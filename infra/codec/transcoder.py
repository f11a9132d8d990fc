"""JSON by msgspec behind the Transcoder interface of ``eventsourcing``."""

from typing import Any, TypeVar

import msgspec
from eventsourcing.persistence import Transcoder

T = TypeVar("T")


class StructTranscoder(Transcoder):
    """Encodes structs; decodes to builtins, or to a given type."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()
        self._decoders: dict[type, msgspec.json.Decoder[Any]] = {}

    def encode(self, obj: Any) -> bytes:
        return self._encoder.encode(obj)

    def decode(self, data: bytes) -> Any:
        return msgspec.json.decode(data)

    def decode_as(self, data: bytes, wanted: type[T]) -> T:
        """Decode and check; a field the type does not know is ignored."""
        decoder = self._decoders.get(wanted)
        if decoder is None:
            decoder = self._decoders[wanted] = msgspec.json.Decoder(wanted)
        decoded: T = decoder.decode(data)
        return decoded
