"""Asking again while that can help, within bounds, and only then (RS 8.2, 14.14)."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential,
    wait_random,
)

from infra.llm.in_vain import nothing_from
from infra.llm.outcomes import asked_wait, outcome_of
from infra.llm.patience import Patience
from processors.language_model import Unavailable

T = TypeVar("T")

_ENOUGH: Final = 60.0
"""Seconds after which nothing is tried again, whatever attempts are left."""

_JITTER: Final = 0.25
"""Share of a wait by which it differs, so that not all come back at once."""

_WARM: Final = 0.2
"""The temperature of what failed at 0: the same again would fail again (RS 8.2)."""

Failures = tuple[type[BaseException], ...]

OURS: Final[Failures] = (TimeoutError, json.JSONDecodeError)
"""Failures no SDK wraps: our own bounds, and a body that is only half JSON."""


class Persistence:
    """Sends the requests of one model; ``failures`` are what its SDK raises."""

    def __init__(self, model: str, patience: Patience, failures: Failures) -> None:
        self._model = model
        self._who = f"the model {model}"
        self._patience = patience
        self._failures = (*failures, *OURS)

    async def ask(self, send: Callable[[bool], Awaitable[T]]) -> tuple[T, int]:
        """Send until it succeeds; return what came, and the attempts it took.

        ``send`` is told whether its request was sent before, to this model or to
        another.

        Raises:
            Unavailable, ModelRefused: they say how often was asked.
        """
        patience, attempts = self._patience, 0
        trying = AsyncRetrying(
            stop=stop_after_attempt(patience.attempts) | stop_after_delay(_ENOUGH),
            wait=self._wait,
            retry=retry_if_exception(self._may_pass),
            reraise=True,
        )

        async def once() -> T:
            nonlocal attempts
            attempts += 1
            async with asyncio.timeout(patience.whole):
                return await send(attempts + patience.before > 1)

        try:
            return await trying(once), attempts
        except self._failures as error:
            outcome = outcome_of(self._who, error)
            outcome.in_vain = nothing_from(self._model, attempts)
            raise outcome from None

    async def paced(
        self, pieces: AsyncIterator[T], attempts: int
    ) -> AsyncGenerator[T, None]:
        """Yield what a stream goes on with, as long as it does not stand still.

        ``attempts`` are those it took to open it.

        Raises:
            Unavailable, ModelRefused: it broke off.
        """
        clock = asyncio.get_running_loop()
        ends = clock.time() + self._patience.whole
        try:
            while True:
                still = clock.time() + self._patience.silence
                async with asyncio.timeout_at(min(ends, still)):
                    piece = await anext(pieces, _END)
                if piece is _END:
                    return
                yield piece
        except self._failures as error:
            outcome = outcome_of(self._who, error)
            outcome.in_vain = nothing_from(self._model, attempts)
            raise outcome from None

    def _may_pass(self, error: BaseException) -> bool:
        """Tell whether the same request may succeed in a moment."""
        if not isinstance(error, self._failures):
            return False
        outcome = outcome_of("", error)
        if not isinstance(outcome, Unavailable):
            return False
        asked = outcome.retry_after
        return asked is None or asked <= self._patience.longest

    def _wait(self, state: RetryCallState) -> float:
        """Wait as long as the provider asks, else ever longer with jitter."""
        error = state.outcome.exception() if state.outcome is not None else None
        asked = asked_wait(error)
        if asked is not None:
            return asked
        least, most = self._patience.shortest, self._patience.longest
        waited = wait_exponential(multiplier=1, min=least, max=most)(state)
        return waited * (1 + wait_random(0, _JITTER)(state)) if least else 0.0


_END: Any = object()


def warmed(temperature: float | None, *, again: bool) -> float | None:
    """Return the temperature to ask with."""
    return _WARM if again and temperature == 0 else temperature
