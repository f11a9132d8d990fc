"""JSON that a model got nearly right, or that was cut, made whole again (RS 8.5)."""

from typing import Any, Final

_LONGEST: Final = 200_000
"""Characters beyond which an answer is not mended: it would hold up everybody."""

_CLOSES: Final = {"{": "}", "[": "]"}


def mend_json(text: str, *, cut: bool) -> Any:
    """Return the object a text was meant to be; ``cut`` if it ended for want of room.

    Of what was cut the item it was cut in is left out, with all that is in it: half a
    text is not what anybody said. A mended value never holds an empty list: whether
    nothing was meant or the rest was lost cannot be told.

    Raises:
        ValueError: it cannot be told what was meant.
    """
    begins = text.find("{")
    if begins < 0 or len(text) > _LONGEST:
        raise ValueError("no object, or too long")
    # It is large, and most answers need none of it.
    import json_repair  # noqa: PLC0415

    kept = _whole_items(text[begins:], cut=cut)
    try:
        value = json_repair.loads(kept, skip_json_loads=True)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict) or not value or _holds_nothing(value):
        raise ValueError("nothing is left of it")
    return value


def _whole_items(text: str, *, cut: bool) -> str:
    """Cut back to the end of the last whole item of the outermost list, and close.

    A text that merely lacks its last brackets is left to be closed.
    """
    open_: list[str] = []
    within = escaped = False
    whole: tuple[int, str] | None = None
    for at, char in enumerate(text):
        if within:
            within = escaped or char != '"'
            escaped = not escaped and char == "\\"
            continue
        if char == '"':
            within = True
        elif char in _CLOSES:
            open_.append(char)
        elif char in "}]" and open_:
            open_.pop()
        if open_.count("[") == 1 and open_[-1] == "[" and char in "},]":
            end = at if char == "," else at + 1
            whole = end, "".join(_CLOSES[each] for each in reversed(open_))
    if not open_ or not (cut or within):
        return text
    if whole is None or "[" not in open_:
        raise ValueError("it is cut before its first item is whole")
    return text[: whole[0]] + whole[1]


def _holds_nothing(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_nothing, value.values()))
    return isinstance(value, list) and (not value or any(map(_holds_nothing, value)))
