"""What a derived event records about the engine that caused it."""

from typing import Final, NamedTuple


class Engine(NamedTuple):
    """Recorded as `engine` and `engine_version`; the version rises with any change."""

    name: str
    version: str


ENGINE: Final = Engine(name="offline", version="1")
