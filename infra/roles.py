"""What each process of a deployment runs: the only table of it."""

from typing import Final

import msgspec


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of process; several of one kind may run at once.

    ``migrates``: it makes and changes tables; who does not waits until they are there.
    ``folds``: it keeps the views folded; who does not watches them. ``answers``: HTTP.
    ``reacts``: processors, dreams, deadlines, webhooks, changes of embedder, sweeps.
    ``relays``: with ``FEED_TYPE=kafka`` it copies the log to its topic, too.
    """

    name: str
    migrates: bool = False
    folds: bool = False
    answers: bool = False
    reacts: bool = False
    relays: bool = False


RELAY: Final = "relay"
"""Copies the log to Kafka; it opens neither log nor views, and is wired for itself."""

ANALYTICS: Final = "analytics"
"""Counts the topic, a consumer like those of strangers."""

UP: Final = Role(
    name="up", migrates=True, folds=True, answers=True, reacts=True, relays=True
)
API: Final = Role(name="api", answers=True)
PROJECTOR: Final = Role(name="projector", folds=True)
WORKER: Final = Role(name="worker", reacts=True)
