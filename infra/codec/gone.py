"""An event that is damaged, and of what is erased or just being erased."""

from domain.event import Event


class Gone(Event, frozen=True, kw_only=True, tag="gone"):
    """Stands for what nobody is to read any more: all pass over it.

    What it told goes with the rest of its session, workspace or stream, so that views
    without it come to what views with it do.
    """
