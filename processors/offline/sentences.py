"""Cuts a message into sentences, without code, quoted lines, pictures and sarcasm."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

SPEECH: Final = "\x01"
"""Stands in a sentence where somebody's words were quoted."""

_SARCASM: Final = "\x05"
_CODE_MARKS: Final = frozenset("{}=<>();:$#")
_NOISE_MARKS: Final = frozenset(":;=(</)")
_IRONIC_WORDS: Final = ("/s", "just what", "lucky me", "for nothing", "love", "enjoy")
_PROTECT: Final = str.maketrans({".": "\x02", "!": "\x03", "?": "\x04"})
_RESTORE: Final = str.maketrans({"\x02": ".", "\x03": "!", "\x04": "?"})
_STRAIGHT: Final = str.maketrans(
    dict.fromkeys(map(chr, range(0x20)), "")
    | {"\n": "\n", "\t": " ", "\xa0": " ", "\x7f": ""}
    | {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'}
    | {"\u2013": " - ", "\u2014": " - "}
)
"""Control characters go, since some serve as markers here; marks become plain ones."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """The words of a sentence without its final mark, which is kept beside them."""

    text: str
    mark: str


def sentences(text: str) -> list[Sentence]:
    """The sentences of a message that were said by its author in plain words."""
    plain = text.translate(_STRAIGHT)
    if "```" in plain:
        plain = _fence().sub("\n", plain)
    found: list[Sentence] = []
    for line in plain.split("\n"):
        prose = _prose(line)
        if prose:
            found.extend(_cut(prose))
    return found


def _prose(line: str) -> str:
    if not line or line.isspace() or line.lstrip().startswith(">"):
        return ""
    bare = _backticks().sub("x", line) if "`" in line else line
    if _command().match(bare) or (
        not _CODE_MARKS.isdisjoint(bare) and _code().search(bare)
    ):
        return ""
    line = _bullet().sub("", line.strip())
    if '"' in line or " '" in line or line.startswith("'"):
        line = _quotes().sub(_unquote, line)
    if not line.isascii():
        line = _pictures().sub(lambda m: _SARCASM if m[0] in "🙄🙃" else " ", line)
    if not _NOISE_MARKS.isdisjoint(line) or "  " in line or "xD" in line:
        line = _noise().sub(" ", line)
    return "" if _SARCASM in line or _is_ironic(line) else line.strip()


def _is_ironic(line: str) -> bool:
    if _ironic_opening().match(line):
        return True
    low = line.lower()
    hint = any(word in low for word in _IRONIC_WORDS)
    return hint and _ironic().search(low) is not None


def _unquote(match: re.Match[str]) -> str:
    quoted = match["double"] or match["single"] or ""
    if match["single"] is not None and not match["said"]:
        return match[0].translate(_PROTECT)
    if match["said"] or _first_person().search(quoted):
        end = quoted[-1:] if quoted[-1:] in {".", "!", "?"} else ""
        return f"{match['said'] or ''}{SPEECH}{end}"
    return match[0].translate(_PROTECT)


def _cut(prose: str) -> list[Sentence]:
    found: list[Sentence] = []
    for part in _join_abbreviations(_end().split(prose)):
        words = part.rstrip(" .!?,;:…*_")
        tail = part[len(words) :]
        mark = "?" if "?" in tail else tail[:1].strip()
        if words:
            found.append(Sentence(words.translate(_RESTORE).strip(" *_~"), mark))
    return found


def _join_abbreviations(parts: list[str]) -> list[str]:
    joined: list[str] = []
    for part in parts:
        if joined and _abbreviated().search(joined[-1]):
            joined[-1] += " " + part
        else:
            joined.append(part)
    return joined


@cache
def _fence() -> re.Pattern[str]:
    return re.compile(r"```.*?(?:```|\Z)", re.DOTALL)


@cache
def _backticks() -> re.Pattern[str]:
    return re.compile(r"`[^`]*`")


@cache
def _code() -> re.Pattern[str]:
    return re.compile(
        r"[{}]|;\s*$|==|!=|[+\-*/]=|=>|\w\(\)|\);|</|/>|::|\s=\s|\w\((?!s\)|ren\))"
    )


@cache
def _command() -> re.Pattern[str]:
    return re.compile(
        r"\s*(?:\$ |#!|git |npm |pip |sudo |cd |curl |import \w+$|from \w+ import"
        r"|SELECT |INSERT |UPDATE \w+ SET|DELETE FROM|File \"|at \w+\.\w+|Traceback)"
    )


@cache
def _bullet() -> re.Pattern[str]:
    return re.compile(r"^(?:[-*•·+]|\(?\d{1,2}[.)]|[a-z]\))\s+")


@cache
def _quotes() -> re.Pattern[str]:
    said = (
        r"(?:said|says?|told \w+|asked|replied|goes|went|like|texted|yelled|read|reads"
    )
    return re.compile(
        rf"(?P<said>\b{said}|wrote)\s*[:,]?\s*(?=[\"']))?"
        r"(?:\"(?P<double>[^\"]*)\"|(?<!\w)'(?P<single>[^']+(?:'\w[^']*)*)'(?!\w))",
        re.IGNORECASE,
    )


@cache
def _first_person() -> re.Pattern[str]:
    return re.compile(r"\b(?:I|i|my|My|me|we|We)\b")


@cache
def _pictures() -> re.Pattern[str]:
    return re.compile("[\u2190-\u21ff\u2300-\u2bff\ufe0f\u200d\U0001f000-\U0001faff]")


@cache
def _noise() -> re.Pattern[str]:
    return re.compile(
        r"https?://\S+|(?<!\S)[:;=8xX][\-'^]?[)(DPp/|\\\]\[3oO*]+(?!\w)|<3+"
        r"|\(\s*\)|\s{2,}"
    )


@cache
def _ironic_opening() -> re.Pattern[str]:
    return re.compile(
        r"(?:oh|ah),? (?:great|wonderful|fantastic|joy|perfect)\b"
        r"|wow,? thanks, |yeah,? right\b|(?:sure|right|yeah),? because|as if\b"
        r"|not like I\b",
        re.IGNORECASE,
    )


@cache
def _ironic() -> re.Pattern[str]:
    return re.compile(
        r"(?:^|\s)/s(?:\W|$)|\bjust what (?:i|we) (?:always )?(?:needed|wanted)"
        r"|\blucky me\b|\bthanks a lot for nothing"
        r"|\bi (?:just |totally |absolutely |so )*(?:love|enjoy) (?:it when|being stuck"
        r"|waiting|being ignored|being yelled)"
    )


@cache
def _end() -> re.Pattern[str]:
    return re.compile(r"(?<=[.!?…])[\"')*\]]*\s+|(?<=[!?])(?=[A-Z])")


@cache
def _abbreviated() -> re.Pattern[str]:
    return re.compile(
        r"(?:^|[\s(])(?:St|Mr|Mrs|Ms|Dr|Prof|vs|e\.g|i\.e|approx|No|Mt|Jr)\.$"
    )
