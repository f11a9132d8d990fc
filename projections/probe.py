"""A question's meaning as a vector, and whose vectors it may be compared with."""

import msgspec


class Probe(msgspec.Struct, frozen=True):
    """A question's vector (float32 little-endian) and the model that made it.

    ``since`` is the log position from which that model's vectors are searched. At an
    earlier moment others were, which may be gone: it is answered from these, of the
    texts there were.
    """

    vector: bytes
    model: str
    dimensions: int
    since: int = 0
