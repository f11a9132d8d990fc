"""How the relay puts commits that come close behind each other into one page."""

from collections.abc import Sequence
from typing import Final

from infra.kafka.read_ahead import PAGE_BYTES, PAGE_EVENTS
from infra.postgres.stored_row import StoredRow

MOST: Final = 0.1
"""Longest rest, in seconds: what it may add to how late a record is."""

_MORE: Final = 0.010
_NONE: Final = 0.001


class Pace:
    """How long to rest before the next page: not at all while commits come singly.

    A page is a transaction, and costs brokers, relay and every consumer about the same
    whether it holds one commit or ten. As long as pages hold several there is a rest
    after each, in which more gather; while there is a backlog there is none.
    """

    def __init__(self) -> None:
        self.rest = 0.0

    def wrote(self, rows: Sequence[StoredRow]) -> None:
        """Note a page."""
        size = sum(len(each.data) for each in rows)
        if len(rows) >= PAGE_EVENTS or size >= PAGE_BYTES:
            self.rest = 0.0
        elif rows[0].recorded_at != rows[-1].recorded_at:
            self.rest = min(self.rest + _MORE, MOST)
        else:
            self.rest = self.rest / 2 if self.rest > _NONE else 0.0
