"""What the server and its embedder say to each other, and how it is framed.

A frame is four bytes of length, little-endian, then that many bytes of MessagePack.
"""

import msgspec

HEADER_BYTES = 4


class Embed(msgspec.Struct, frozen=True, tag="embed", array_like=True):
    """Make a vector of each text; an interactive one overtakes the others."""

    id: int
    texts: list[str]
    interactive: bool


class Ready(msgspec.Struct, frozen=True, tag="ready", array_like=True):
    """The model is loaded."""


class Embedded(msgspec.Struct, frozen=True, tag="embedded", array_like=True):
    """The vectors of ``Embed`` number ``id``, in its order, float32 little-endian."""

    id: int
    vectors: list[bytes]


_REQUEST = msgspec.msgpack.Decoder(Embed)
_ANSWER: msgspec.msgpack.Decoder[Ready | Embedded] = msgspec.msgpack.Decoder(
    Ready | Embedded
)


def pack(frame: Embed | Ready | Embedded) -> bytes:
    """Return the frame with its header."""
    body = msgspec.msgpack.encode(frame)
    return len(body).to_bytes(HEADER_BYTES, "little") + body


def body_length(header: bytes) -> int:
    """Return how many bytes follow ``header``."""
    return int.from_bytes(header, "little")


def read_request(body: bytes) -> Embed:
    """Return the request in ``body``; raises msgspec.ValidationError."""
    return _REQUEST.decode(body)


def read_answer(body: bytes) -> Ready | Embedded:
    """Return the answer in ``body``; raises msgspec.ValidationError."""
    return _ANSWER.decode(body)
