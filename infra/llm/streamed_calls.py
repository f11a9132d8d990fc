"""The calls of tools in a streamed answer, put together from their pieces."""

from collections.abc import Mapping
from typing import Any

import msgspec
from openai.types.chat.chat_completion_chunk import ChoiceDelta, ChoiceDeltaToolCall

from infra.llm.openai_answer import REASONING, given_beside, made_call, usable
from processors.language_model import ToolCall


class _Wanted(msgspec.Struct):
    id: str = ""
    name: str = ""
    arguments: str = ""
    extra: Any = None


class StreamedCalls:
    """Takes in the deltas of one answer: its calls, and the thought beside them."""

    def __init__(self) -> None:
        self._wanted: list[_Wanted] = []
        self._at: dict[int, _Wanted] = {}
        self._beside: dict[str, Any] = {}

    def read(self, delta: ChoiceDelta) -> None:
        """Take in one delta."""
        for piece in delta.tool_calls or ():
            self._read_call(piece)
        more = delta.model_extra or {}
        for name in REASONING:
            if more.get(name):
                self._beside[name] = _joined(self._beside.get(name), more[name])

    def made(
        self, reason: str | None, by: str
    ) -> tuple[tuple[ToolCall, ...], tuple[Mapping[str, Any], ...]]:
        """Return the calls that are whole, and what has to go back with them."""
        calls = [made_call(each.id, each.name, each.arguments) for each in self._wanted]
        extras = [each.extra for each in self._wanted]
        return usable(calls, reason), given_beside(self._beside, calls, extras, by)

    def _read_call(self, piece: ChoiceDeltaToolCall) -> None:
        at = piece.index or 0
        wanted = self._at.get(at)
        # Some endpoints give every call the index 0, and each an id of its own.
        if wanted is None or (piece.id and wanted.id and piece.id != wanted.id):
            wanted = self._at[at] = _Wanted()
            self._wanted.append(wanted)
        wanted.id = wanted.id or piece.id or ""
        wanted.extra = (piece.model_extra or {}).get("extra_content") or wanted.extra
        if piece.function is not None:
            wanted.name = wanted.name or piece.function.name or ""
            wanted.arguments += piece.function.arguments or ""


def _joined(so_far: Any, piece: Any) -> Any:
    """Put a piece of thought to what came before: texts, or lists of details."""
    if isinstance(piece, str):
        return (so_far or "") + piece
    if not isinstance(piece, list):
        return piece
    details: list[Any] = list(so_far or ())
    for each in piece:
        if details and _continues(details[-1], each):
            details[-1] = _grown(details[-1], each)
        else:
            details.append(each)
    return details


def _continues(last: Any, piece: Any) -> bool:
    return (
        isinstance(last, dict)
        and isinstance(piece, dict)
        and piece.get("index") is not None
        and all(last.get(name) == piece.get(name) for name in ("index", "type"))
    )


def _grown(last: dict[str, Any], piece: dict[str, Any]) -> dict[str, Any]:
    texts = {
        name: (last.get(name) or "") + piece[name]
        for name in ("text", "summary", "data")
        if isinstance(piece.get(name), str)
    }
    said = {name: value for name, value in piece.items() if value is not None}
    return {**last, **said, **texts}
