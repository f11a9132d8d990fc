"""Cuts what waits in a session into windows a model reads at once (RS 1.5)."""

from collections.abc import Sequence
from typing import cast

import msgspec

from domain.recorded import Recorded
from domain.session import MessageAdded


class Cut(msgspec.Struct, frozen=True):
    """Messages that are handled together; those of them, and before, that are read.

    Nothing is read where none of them asked for reasoning.
    """

    handled: Sequence[Recorded]
    read: Sequence[Recorded]


def cut_window(
    waiting: Sequence[Recorded], before: Recorded | None, tokens: int, most: int
) -> Cut:
    """Return the next window of what waits, in order; ``before`` was said before it.

    It begins with the first message that asked for reasoning, which is in it however
    long, and with what another peer said right before that, as its context. Then
    comes all that was said, by anybody, up to so many tokens and messages; it ends
    with the last one that asked for reasoning, and where one brought instructions
    that differ from the first one's. What asked for nothing is handled with it.
    """
    begin = next((n for n, each in enumerate(waiting) if _said(each).derive), None)
    if begin is None:
        return Cut(waiting, ())
    first = _said(waiting[begin])
    context = waiting[begin - 1] if begin else before
    if context is not None and _said(context).author == first.author:
        context = None
    weight = 0 if context is None else _said(context).tokens
    last = begin
    for number in range(begin, min(len(waiting), begin + most)):
        message = _said(waiting[number])
        weight += message.tokens
        beyond = number > begin and weight > tokens
        if beyond or (message.derive and message.instructions != first.instructions):
            break
        if message.derive:
            last = number
    through = last
    while through + 1 < len(waiting) and not _said(waiting[through + 1]).derive:
        through += 1
    read = [*([] if context is None else [context]), *waiting[begin : last + 1]]
    return Cut(waiting[: through + 1], read)


def _said(recorded: Recorded) -> MessageAdded:
    return cast("MessageAdded", recorded.event)
