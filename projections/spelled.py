"""Texts spelled so that Postgres finds their words, whatever they are written in."""

import re
from typing import Final

# What is written without blanks between words: Chinese, Japanese, Thai, Lao, Burmese,
# Khmer. Korean has blanks, but its words carry endings, which pairs get over.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff]+"
)

# Between letters, Postgres takes these for paths and hosts, of which no part is found.
_JOINED: Final = re.compile(r"[/.](?<=[^\W\d_].)(?=[^\W\d_])")


def spelled(text: str) -> str:
    """Return a text with each word apart, a question's as a message's.

    Runs without blanks become pairs of characters, each overlapping the next: what two
    texts share of such a run, they share as pairs. Words joined by a slash or a dot
    are parted.
    """
    parted = _JOINED.sub(" ", text)
    if parted.isascii():
        return parted
    return _UNSPACED.sub(_pairs, parted)


def _pairs(found: re.Match[str]) -> str:
    run = found.group()
    if len(run) == 1:
        return f" {run} "
    pairs = (run[n : n + 2] for n in range(len(run) - 1))
    return f" {' '.join(pairs)} "
