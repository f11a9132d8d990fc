"""What asking took that brought no answer: providers charge for some of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from domain.event import Call
from processors.language_model import Completion, ModelRefused, Unavailable, Usage


def nothing_from(model: str, attempts: int, usage: Usage | None = None) -> Completion:
    """Return what requests came to that brought nothing; tokens, where it is known."""
    return Completion(
        text="",
        model=model,
        usage=usage or Usage(calls=0),
        call=Call(attempts=attempts, cost_usd_micros=None if usage else 0),
        finish="other",
    )


def after(before: Completion | None, completion: Completion) -> Completion:
    """Add to an answer, or to none, what was asked in vain before it."""
    if before is None:
        return completion
    usage, call = before.usage + completion.usage, before.call + completion.call
    return replace(completion, usage=usage, call=call)


@contextmanager
def counting(before: Completion | None) -> Iterator[None]:
    """Have what fails within say what was asked before it, too."""
    try:
        yield
    except (Unavailable, ModelRefused) as failure:
        later = failure.in_vain
        failure.in_vain = before if later is None else after(before, later)
        raise
