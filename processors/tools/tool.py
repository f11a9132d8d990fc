"""What a tool is: its name, what a model reads of it, its arguments, what it does.

ToolError   a tool cannot do what it is asked for; the model reads why
"""

from typing import Any, Protocol

import msgspec


class ToolError(Exception):
    """A tool cannot do that. ``str()`` is told to the model, so that it does better."""


class ToolResult(msgspec.Struct, frozen=True):
    """What a tool answers: a text for the model, and the ids of what it tells of.

    Ids are those of messages, and those conclusions were derived under.
    """

    text: str
    ids: tuple[str, ...] = ()


class Tool(Protocol):
    """A tool, made for one run.

    ``arguments`` is a msgspec Struct; what its types bound is what the model is told
    and what is enforced (``arguments.py``).
    """

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def arguments(self) -> type[msgspec.Struct]: ...

    async def __call__(self, arguments: Any, /) -> ToolResult:
        """Do it, with arguments that are within their limits.

        Raises:
            ToolError
        """
        ...
