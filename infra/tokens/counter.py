"""Counts the o200k_base tokens of a text, from ranks that lie beside this file."""

import hashlib
import lzma
import re
import threading
from binascii import a2b_base64
from collections.abc import Iterator
from importlib.resources import files

from tiktoken import Encoding

_RANKS_FILE = "o200k_base.tiktoken.xz"
_RANKS_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
_SPECIAL_TOKENS = {"<|endoftext|>": 199_999, "<|endofprompt|>": 200_018}
_PIECES = "|".join(  # noqa: FLY002  one line per alternative can be read
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
_SLICE = 200_000  # tiktoken's regex overflows its stack at 1,000,000 blanks in a row
_SEAM = re.compile(r"\S(?= \S)")
_SEAM_WITHIN = 4_096


class O200kCounter:
    """Counts o200k_base tokens; the text of a special token is ordinary text.

    Loading takes about half a second and 47 MB that stay, so it happens at the
    first ``count`` or at ``load``, once, whichever thread comes first.
    """

    def __init__(self) -> None:
        self._encoding: Encoding | None = None
        self._loading = threading.Lock()

    def load(self) -> None:
        """Read the ranks now; raises ValueError if their file is not the known one."""
        with self._loading:
            if self._encoding is None:
                self._encoding = _encoding()

    def count(self, text: str) -> int:
        """Return how many tokens ``text`` has; no text makes this fail.

        Equal to tiktoken's own count. Where a text above 200,000 characters has
        no blank between two words for 4,096 characters, it may differ by a few.
        """
        if self._encoding is None:
            self.load()
        encode = self._encoding.encode_ordinary  # type: ignore[union-attr]  # load() set it or raised
        if len(text) <= _SLICE:
            return len(encode(text))
        return sum(len(encode(part)) for part in _slices(text, _SLICE))

    def ids(self, text: str) -> list[int]:
        """Return the tokens of a text of at most 200,000 characters; more are cut."""
        if self._encoding is None:
            self.load()
        return self._encoding.encode_ordinary(text[:_SLICE])  # type: ignore[union-attr]  # load() set it or raised


def _encoding() -> Encoding:
    packed = files(__package__).joinpath(_RANKS_FILE).read_bytes()
    lines = lzma.decompress(packed)
    if hashlib.sha256(lines).hexdigest() != _RANKS_SHA256:
        raise ValueError(f"{_RANKS_FILE} is damaged: its sha256 is not the known one")
    # The checksum says that line n holds rank n, so only the token is read.
    ranks = {a2b_base64(token): n for n, token in enumerate(_tokens(lines))}
    encoding = Encoding(
        "o200k_base",
        pat_str=_PIECES,
        mergeable_ranks=ranks,
        special_tokens=_SPECIAL_TOKENS,
    )
    ranks.clear()  # the encoding has copied them, but would keep this dict: 25 MB
    return encoding


def _tokens(lines: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(lines):
        blank = lines.index(b" ", start)
        yield lines[start:blank]
        start = lines.index(b"\n", blank) + 1


def _slices(text: str, size: int) -> Iterator[str]:
    """Cut ``text`` into parts of at most ``size`` characters.

    A single blank between two other characters always starts a piece of its own
    or the next word's, so cutting before it leaves the pieces as they were.
    """
    start = 0
    while len(text) - start > size:
        end = start + size
        tail = _SEAM.finditer(text, max(start, end - _SEAM_WITHIN), end + 2)
        seams = [m.end() for m in tail if m.end() <= end]
        cut = seams[-1] if seams else end
        yield text[start:cut]
        start = cut
    yield text[start:]
