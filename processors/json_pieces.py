"""The JSON object within a streamed text: what stands before and after it is dropped.

A model that was asked for JSON may say a word first, or fence it in; who reads the
stream reads JSON.
"""


class JsonPieces:
    """Takes in a text piece by piece and gives back what is of its first object."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_text = False
        self._escaped = False
        self._begun = False

    def take(self, piece: str) -> str:
        """Return what of the piece can be shown."""
        shown = []
        for letter in piece:
            if self._depth == 0 and (self._begun or letter != "{"):
                continue
            self._begun = True
            shown.append(letter)
            self._read(letter)
        return "".join(shown)

    def _read(self, letter: str) -> None:
        if self._in_text:
            if self._escaped:
                self._escaped = False
            elif letter == "\\":
                self._escaped = True
            elif letter == '"':
                self._in_text = False
        elif letter == '"':
            self._in_text = True
        elif letter in "{[":
            self._depth += 1
        elif letter in "}]":
            self._depth -= 1
