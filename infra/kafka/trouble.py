"""What keeps somebody from the brokers: in words, and said once."""

import logging
import re
from time import monotonic
from typing import Any, Final

from kafka.errors import (
    AuthorizationError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailedError,
)

from infra.kafka.connecting import Refused
from infra.telemetry.said_once import NEWS

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,249}\Z")

_WHAT: Final = {
    TopicAuthorizationFailedError: "the topic",
    GroupAuthorizationFailedError: "the group",
    TransactionalIdAuthorizationFailedError: "the transactional id",
    ClusterAuthorizationFailedError: "the cluster",
}


def told(error: BaseException) -> str:
    """Say what happened: why brokers refuse, or else the error's type, as ever."""
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, AuthorizationError):
        named = _named(error.args[0] if error.args else None)
        what = _WHAT.get(type(error), "something")
        return (
            f"brokers do not allow us what we need of {what}{named}: see palimpsest"
            " relay acls"
        )
    return type(error).__name__


class Trouble:
    """What somebody cannot do for now, in the log once, however often it is tried.

    ``saying`` has a place for why. ``now`` is why, None while all goes on. ``heals``:
    so many seconds after brokers last forbade something it is over, not at once: for
    those who only fail by and by.
    """

    def __init__(self, log: logging.Logger, saying: str, heals: float = 0.0) -> None:
        self.now: str | None = None
        self._log = log
        self._saying = saying
        self._heals = heals
        self._forbidden_at = -heals

    def begin(
        self, error: BaseException, why: str = "", level: int = logging.WARNING
    ) -> None:
        """Learn that it failed; said where that is news, or fails in another way."""
        why = why or told(error)
        if why != self.now:
            self._log.log(level, self._saying, why, extra=NEWS)
        self.now = why
        if isinstance(error, AuthorizationError):
            self._forbidden_at = monotonic()

    def detail(self) -> dict[str, Any]:
        """Return what ``/health`` adds: nothing while all goes on."""
        return {} if self.now is None else {"kafka": self.now}

    def end(self, saying: str, *values: object) -> None:
        """Learn that it goes on; said where it did not."""
        if monotonic() - self._forbidden_at < self._heals:
            return
        if self.now is not None:
            self._log.warning(saying, *values, extra=NEWS)
        self.now = None


def _named(told: object) -> str:
    """Return names the client puts into its error; anything else is left out."""
    some = told if isinstance(told, set | frozenset | list | tuple) else [told]
    names = [str(each) for each in some]
    found = sorted(each for each in names if _NAME.match(each))
    return " " + ", ".join(found) if found else ""
