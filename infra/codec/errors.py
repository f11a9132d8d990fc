"""What may be wrong with stored bytes."""

from typing import Final

import msgspec


class Unreadable(Exception):  # noqa: N818  says what it is
    """A stored event is damaged: wrong bytes for its type, or a broken seal.

    A destroyed key is not damage: what it sealed reads as erased.
    """


UNDECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises over wrong bytes: some is Python's own."""
