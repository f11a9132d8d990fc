"""What a provider sent, held to the shape it should have: no SDK checks that."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from infra.llm.in_vain import nothing_from
from infra.llm.json_answer import clean
from processors.language_model import Completion, Unavailable

_LOG: Final = logging.getLogger("palimpsest.llm")

_MOST: Final = 2**40
"""Tokens beyond which a count is none."""

_LONGEST: Final = 256
"""Characters of the name by which a model calls itself."""

_MISSHAPEN: Final = (
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
)


@contextmanager
def reading(who: str, model: str, attempts: int) -> Iterator[None]:
    """Read what a provider sent within; ``attempts`` are those it took.

    Raises:
        Unavailable: it has not the shape of an answer.
    """
    try:
        yield
    except _MISSHAPEN as error:
        _LOG.warning("%s sent what is no answer: %s", who, type(error).__name__)
        raise Unavailable(who, in_vain=nothing_from(model, attempts)) from None


def checked(completion: Completion) -> Completion:
    """Return an answer all of which is of its type and can be written down.

    Raises:
        ValueError, TypeError, msgspec.MsgspecError: it is not.
    """
    return msgspec.json.decode(msgspec.json.encode(completion), type=Completion)


def count(sent: Any) -> int:
    """Return a count of tokens; what is none is 0 (RS 8.6)."""
    return sent if type(sent) is int and 0 <= sent <= _MOST else 0


def own_name(sent: Any, otherwise: str) -> str:
    """Return how a model calls itself, or how it was called."""
    return clean(sent)[:_LONGEST] if isinstance(sent, str) and sent else otherwise
