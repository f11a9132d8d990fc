"""Who of a group is given which partitions, told what each member really has."""

from collections.abc import Callable, Collection
from typing import Any

from kafka import TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor


class Assignor(CooperativeStickyAssignor):  # type: ignore[misc]  # kafka has no types
    """Claims for its member what that has; theirs, what it was given last.

    What is claimed is given to another only once the member has let it go, which it
    says by joining again. Whoever was expelled has let it go already and says nothing,
    so that nobody would be given it until somebody else comes or goes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.has: Callable[[], Collection[TopicPartition]] = tuple

    def metadata(self, topics: Collection[str]) -> Any:
        """Return what the member tells when it joins."""
        self.member_assignment = sorted(self.has())
        return super().metadata(topics)
