"""What a provider's failure means: come back later, or never (RS 8.2, 14.14).

Read from what errors of the SDKs have in common, so that none of them is imported for
another's sake: ``status_code``, ``response``, ``code`` or ``body``.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from processors.language_model import ModelRefused, Unavailable

_MENDED_AFTER: Final = 300.0
"""Seconds to wait for a person to mend a key, a model's name or a quota."""

_MUST_BE_MENDED: Final = frozenset({401, 402, 403, 404})
_PASSES: Final = frozenset({408, 409, 425, 429})

_SAYS: Final = {
    "insufficient_quota": 402,
    "billing_error": 402,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "timeout_error": 408,
    "api_error": 500,
    "overloaded_error": 529,
    "invalid_request_error": 400,
}
"""What an error that comes within a stream says instead of a status."""

_OF_AN_ACCOUNT: Final = re.compile(
    r"credit balance|api[ _]key[ _](not[ _]valid|invalid)", re.IGNORECASE
)
"""What Anthropic and Gemini call a wrong question, and is a wrong account."""

_WORD: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def outcome_of(who: str, error: BaseException) -> Unavailable | ModelRefused:
    """Return what to raise for an error of an SDK; never with what was said.

    A wrong key or model makes everybody's question fail until somebody mends it,
    so it is ``Unavailable``; what is wrong with one question never passes.
    """
    code = _code(error)
    status = _status(error, code)
    if status is None:
        return Unavailable(who)
    if status in _MUST_BE_MENDED:
        return Unavailable(who, _MENDED_AFTER)
    if status in _PASSES or status >= 500:  # noqa: PLR2004
        return Unavailable(who, asked_wait(error))
    return ModelRefused(who, code or f"status {status}")


def asked_wait(error: BaseException | None) -> float | None:
    """Return the seconds of ``Retry-After``; a date or nonsense is none."""
    response = getattr(error, "response", None)
    try:
        seconds = float(response.headers.get("retry-after", "")) if response else -1.0
    except ValueError:
        return None
    return min(seconds, 86_400.0) if seconds >= 0 else None


def _status(error: BaseException, code: str) -> int | None:
    """Return the status; what comes within a stream says it by its code alone.

    A quota that is used up is told as a rate limit by some, and a key that is wrong,
    or not paid for, as a bad question by others: none of it is the question's fault.
    """
    status = getattr(error, "status_code", None)
    said = getattr(error, "message", None)
    if status == 400 and isinstance(said, str) and _OF_AN_ACCOUNT.search(said):  # noqa: PLR2004
        return 402
    if isinstance(status, int) and status >= 400 and code != "insufficient_quota":  # noqa: PLR2004
        return status
    return _SAYS.get(code)


def _code(error: BaseException) -> str:
    """Name the reason by the provider's code if it is a plain word."""
    found: Any = getattr(error, "code", None)
    if found is None:
        body = getattr(error, "body", None)
        inner = body.get("error", body) if isinstance(body, Mapping) else None
        found = inner.get("type") if isinstance(inner, Mapping) else None
    return found if isinstance(found, str) and _WORD.fullmatch(found) else ""
