"""What a provider's failure means: come back later, or never (RS 8.2, mended)."""

import json
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import openai
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from processors.language_model import ModelRefused, Unavailable

T = TypeVar("T")

ATTEMPTS: Final = 3
"""Most times one request is sent."""

_PATIENCE: Final = 30.0
"""Seconds after which nothing is tried again, whatever attempts are left."""

_LONGEST_WAIT: Final = 8.0
"""A provider that wants to be left alone for longer is left alone."""

_MENDED_AFTER: Final = 300.0
"""Seconds to wait for a person to mend a key, a model's name or a quota."""

_FAILURES: Final = (openai.OpenAIError, json.JSONDecodeError)
"""What the SDK raises; a body that is only half JSON it does not wrap."""

_MUST_BE_MENDED: Final = frozenset({401, 402, 403, 404})
_PASSES: Final = frozenset({408, 409, 425, 429})


async def persistently(who: str, ask: Callable[[], Awaitable[T]]) -> tuple[T, int]:
    """Ask again while that can help, within bounds; return the attempts it took, too.

    Raises:
        Unavailable, ModelRefused
    """
    trying = AsyncRetrying(
        stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(_PATIENCE),
        wait=_wait,
        retry=retry_if_exception(_may_pass),
        reraise=True,
    )

    attempts = 0

    async def once() -> T:
        nonlocal attempts
        attempts += 1
        return await ask()

    try:
        return await trying(once), attempts
    except _FAILURES as error:
        raise outcome_of(who, error) from None


def outcome_of(who: str, error: Exception) -> Unavailable | ModelRefused:
    """Return what to raise for an error of the SDK; never with what was said.

    A wrong key or model makes everybody's question fail until somebody mends it,
    so it is ``Unavailable``; what is wrong with one question never passes.
    """
    if not isinstance(error, openai.APIStatusError):
        return Unavailable(who)
    if error.code == "insufficient_quota" or error.status_code in _MUST_BE_MENDED:
        return Unavailable(who, _MENDED_AFTER)
    if error.status_code in _PASSES or error.status_code >= 500:  # noqa: PLR2004
        return Unavailable(who, _asked_wait(error))
    return ModelRefused(who, _word(error))


def _may_pass(error: BaseException) -> bool:
    """Tell whether the same request may succeed in a moment."""
    if not isinstance(error, _FAILURES):
        return False
    outcome = outcome_of("", error)
    if not isinstance(outcome, Unavailable):
        return False
    return outcome.retry_after is None or outcome.retry_after <= _LONGEST_WAIT


def _wait(state: RetryCallState) -> float:
    """Wait as long as the provider asks, else ever longer with jitter."""
    error = state.outcome.exception() if state.outcome is not None else None
    if isinstance(error, openai.APIStatusError):
        asked = _asked_wait(error)
        if asked is not None:
            return asked
    return wait_random_exponential(multiplier=0.5, max=4)(state)


def _asked_wait(error: openai.APIStatusError) -> float | None:
    """Return the seconds of ``Retry-After``; a date or nonsense is none."""
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, 86_400.0) if seconds >= 0 else None


def _word(error: openai.APIStatusError) -> str:
    """Name the reason by the provider's code if it is a plain word."""
    code = error.code or ""
    plain = code.replace("_", "").replace("-", "")
    if 0 < len(code) <= 64 and plain.isascii() and plain.isalnum():  # noqa: PLR2004
        return code
    return f"status {error.status_code}"
