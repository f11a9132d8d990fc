"""An event of a type this code does not know."""

from domain.event import Event


class Unknown(Event, frozen=True, kw_only=True, tag="unknown"):
    """Kept as stored, so that a reader may skip it and nothing is lost.

    ``stored_type`` is its tag; ``raw`` its data, sealed fields still sealed.
    """

    stored_type: str
    raw: bytes
