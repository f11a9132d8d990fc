"""A streamed answer as it is shown: over several calls of a model, each with its end.

What a model said before it used a tool has been shown, and stays; its next words
begin a paragraph. The list of sources is never shown.
"""

from processors.cited_answer import CitedAnswer

_BETWEEN = "\n\n"


class ShownAnswer:
    """All that was shown of an answer; ``cited`` is what its last list named."""

    def __init__(self) -> None:
        self.text = ""
        self.cited: tuple[str, ...] | None = None
        self._answer = CitedAnswer()
        self._apart = False

    def take(self, piece: str) -> str:
        """Take in a piece; return what of it is shown now."""
        return self._show(self._answer.take(piece))

    def end(self) -> str:
        """Take in that a call has ended; return what of it is still to be shown."""
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
