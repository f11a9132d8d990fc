"""A streamed answer as it is shown: over several calls of a model, each with its end.

What a model said before it used a tool has been shown, and stays; its next words
begin a paragraph. The list of sources is never shown; of an answer in a form, only
the object is.
"""

from processors.cited_answer import CitedAnswer
from processors.json_pieces import JsonPieces

_BETWEEN = "\n\n"


class ShownAnswer:
    """All that was shown of an answer; ``cited`` is what its last list named."""

    def __init__(self, *, in_form: bool) -> None:
        self.text = ""
        self.cited: tuple[str, ...] | None = None
        self._answer = CitedAnswer()
        self._json = JsonPieces() if in_form else None
        self._apart = False

    def take(self, piece: str) -> str:
        """Take in a piece; return what of it is shown now."""
        if self._json is not None:
            return self._show(self._json.take(piece))
        return self._show(self._answer.take(piece))

    def end(self) -> str:
        """Take in that a call has ended; return what of it is still to be shown."""
        if self._json is not None:
            return ""
        rest, cited = self._answer.end()
        self.cited = self.cited if cited is None else cited
        shown = self._show(rest)
        self._answer = CitedAnswer()
        self._apart = bool(self.text)
        return shown

    def _show(self, part: str) -> str:
        if self._apart and part.strip():
            part, self._apart = _BETWEEN + part.lstrip(), False
        elif self._apart:
            return ""
        self.text += part
        return part
