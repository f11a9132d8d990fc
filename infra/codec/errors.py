"""What may be wrong with stored bytes."""

from typing import Final

import msgspec

from commands.damaged import Damaged


class Unreadable(Damaged):
    """A stored event is damaged: wrong bytes for its type, or a broken seal.

    A destroyed key is not damage: what it sealed reads as erased. ``reason`` is what is
    wrong; ``position`` and ``stored_type`` are the event's, 0 and empty where it is not
    known which one it is.
    """

    def __init__(self, reason: str, position: int = 0, stored_type: str = "") -> None:
        told = f"{reason} (position {position})" if position else reason
        super().__init__(told)
        self.reason = reason
        self.position = position
        self.stored_type = stored_type


UNDECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises over wrong bytes: some is Python's own."""
