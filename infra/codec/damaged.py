"""An event that cannot be opened, for who goes on with others meanwhile."""

from domain.event import Event


class Damaged(Event, frozen=True, kw_only=True, tag="damaged"):
    """Stands for what the log has; ``stored_type`` is its tag, ``reason`` says why."""

    stored_type: str
    reason: str
