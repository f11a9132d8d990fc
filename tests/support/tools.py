"""Tools and memories of tests."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from processors.recall import Recollection
from processors.tools.memory import Chain, Excerpt, Link
from processors.tools.tool import ToolError, ToolResult

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class EchoArguments(msgspec.Struct, frozen=True):
    """See the tool."""

    text: Annotated[str, Meta(min_length=1, max_length=100_000)]
    times: Annotated[int, Meta(ge=1, le=3)] = 1


class EchoTool:
    """Says what it is told to; "fail" it refuses."""

    name = "echo"
    description = "Say a text."
    arguments = EchoArguments

    def __init__(self):
        self.given = []

    async def __call__(self, arguments):
        self.given.append(arguments)
        if arguments.text == "fail":
            raise ToolError("That cannot be said.")
        return ToolResult(arguments.text * arguments.times, ("id-1",))


def conclusion(number, text="ann likes tea.", **more):
    plain = {
        "kind": "conclusion",
        "id": f"conclusion-{number}",
        "text": text,
        "at": NOON,
        "peer": "ann",
        "similarity": 0.5,
    }
    return Recollection(**{**plain, **more})


def message(number, text="I like tea.", **more):
    plain = {
        "kind": "message",
        "id": f"message-{number}",
        "text": text,
        "at": NOON,
        "peer": "ann",
        "similarity": 0.5,
        "session": "s",
        "number": number,
    }
    return Recollection(**{**plain, **more})


class Remembering:
    """A view of memory that holds what it is given, and counts what is asked."""

    def __init__(self, conclusions=(), messages=()):
        self.conclusions = tuple(conclusions)
        self.messages = tuple(messages)
        self.asked = []

    def _excerpts(self, found):
        if not found:
            return ()
        return (Excerpt("s", tuple(found), tuple(each.id for each in found)),)

    async def search_conclusions(self, query, limit):
        self.asked.append(("search_conclusions", query, limit))
        return self.conclusions[:limit]

    async def recent_conclusions(self, limit, *, here):
        self.asked.append(("recent_conclusions", limit, here))
        return self.conclusions[:limit]

    async def search_messages(self, query, limit, around, period):
        self.asked.append(("search_messages", query, limit, around, period))
        return self._excerpts(self.messages[:limit])

    async def grep_messages(self, text, limit, around):
        self.asked.append(("grep_messages", text, limit, around))
        return self._excerpts([m for m in self.messages if text in m.text][:limit])

    async def list_messages(self, period, limit, *, newest_first):
        self.asked.append(("list_messages", period, limit, newest_first))
        return self.messages[:limit]

    async def show_messages(self, ids, around):
        self.asked.append(("show_messages", tuple(ids), around))
        return self._excerpts([m for m in self.messages if m.id in ids])

    async def find_chain(self, id_, *, premises, consequences):
        self.asked.append(("find_chain", id_, premises, consequences))
        own = next((each for each in self.conclusions if each.id == id_), None)
        if own is None:
            return None
        links = tuple(Link(each, 1) for each in self.conclusions if each is not own)
        return Chain(
            conclusion=own,
            premises=links if premises else (),
            consequences=(),
            whole=True,
        )
