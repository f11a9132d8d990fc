"""What grew in the log: told to who knows states of streams."""

from collections.abc import Mapping

import msgspec


class MovedStreams(msgspec.Struct, frozen=True):
    """Which streams grew after a position: the version each is at.

    ``through`` is how far that was looked; ``versions`` is None where so much grew
    that any may have.
    """

    through: int
    versions: Mapping[str, int] | None
