"""A language model behind the reasoner's port (RS 3, 4)."""

from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, Final

import msgspec

from domain.derivation import Refused
from domain.event import Engine
from domain.session import SummaryKind
from domain.summary import SUMMARY_TOKENS
from processors.cut_text import cut_text
from processors.language_model import (
    Completion,
    LanguageModel,
    Malformed,
    ModelRefused,
    Prompt,
    Purpose,
)
from processors.ports import TokenCounter
from processors.prompts import derive_conclusions, summarize_long, summarize_short
from processors.reasoner import Drawn, Fact, Said, SummedUp

_SUMMARIES: Final[Mapping[SummaryKind, ModuleType]] = {
    "short": summarize_short,
    "long": summarize_long,
}

_WORDS: Final = 0.75
"""Words for each token that an answer may have (RS 4.1)."""

_LINE: Final = 40
"""Tokens of a number, a time and a name, most often."""

_TOLD_WITHIN: Final = 2
"""Times a model is asked for a summary before it has none."""

_RULES: Final = 1_000
"""Tokens the fixed part of a prompt takes, at most."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens: what one call may be given, what it may answer."""

    input: int = 25_000
    facts: int = 2_500
    summaries: Mapping[SummaryKind, int] = msgspec.field(
        default_factory=SUMMARY_TOKENS.copy
    )


class ModelReasoner:
    """Fulfils ``processors.reasoner.Reasoner`` with a language model.

    Each fact names the lines it rests on, which must be there; one that names none
    is refused, unless the peer said only one thing. Facts of an answer that numbers
    no line as they are numbered rest on all the peer said (RS 3.4), but for those
    that say they rest on none. Sums up in steps what does not fit one call.
    """

    def __init__(
        self, model: LanguageModel, tokens: TokenCounter, limits: Limits | None = None
    ) -> None:
        self._model = model
        self._tokens = tokens
        self._limits = limits or Limits()

    @property
    def engine(self) -> Engine:
        """Name the model and how it is asked to derive, before it has answered."""
        version = derive_conclusions.VERSION
        return Engine(
            name=self._model.transport,
            version=version,
            model=self._model.model,
            prompt=f"derive_conclusions@{version}",
            parameters=dict(self._model.parameters),
            prompt_hash=derive_conclusions.HASH,
        )

    async def derive(
        self,
        window: Sequence[Said],
        observed: str,
        instructions: str | None = None,
        *,
        purpose: Purpose | None = None,
    ) -> Drawn:
        """Return what the window tells of ``observed``, in the order of its lines.

        Raises:
            Malformed: also where no fact rests on any line of the window.
            Unavailable, ModelRefused
        """
        most = self._limits.input - _RULES
        read = self._shortened(window, most)
        answer = await self._model.structured(
            Prompt(
                turns=derive_conclusions.render(read, observed, instructions),
                max_tokens=self._limits.facts,
                purpose=purpose,
            ),
            derive_conclusions.FORM,
        )
        given = [
            each for each in answer.value["explicit"] or () if each["content"].strip()
        ]
        found, refused = _supported(given, window, observed)
        if given and not found:
            raise Malformed(f"the model {self._model.model}")
        engine = self._engine(
            "derive_conclusions", derive_conclusions, answer.completion
        )
        return Drawn(found, engine, refused)

    async def summarize(
        self,
        kind: SummaryKind,
        previous: str,
        window: Sequence[Said],
        *,
        purpose: Purpose | None = None,
    ) -> SummedUp:
        """Return a summary of all so far, absorbing ``previous``.

        It is empty where the model, asked twice, has none or filters what was said:
        nobody is to wait for it, and the next summary covers the same again.

        Raises:
            Unavailable
            ModelRefused: the model, or a setting, is wrong.
        """
        prompts, most = _SUMMARIES[kind], self._limits.summaries[kind]
        text, completion = previous, None
        spent: list[Completion] = []
        for step, part in enumerate(self._parts(window, most)):
            words = self._words(kind, text, part)
            prompt = Prompt(
                turns=prompts.render(text, part, words),
                max_tokens=most,
                purpose=_step(purpose, step),
            )
            completion = await self._told(prompt, spent)
            if completion is None:
                break
            text = completion.text.strip()
        if completion is None:
            return SummedUp("", self.engine)
        whole = _in_all(completion, spent)
        engine = self._engine(f"summarize_{kind}", prompts, whole)
        return SummedUp(cut_text(text, most, self._tokens), engine)

    async def _told(self, prompt: Prompt, spent: list[Completion]) -> Completion | None:
        """Return an answer that says something; add each that came to ``spent``."""
        for attempt in range(_TOLD_WITHIN):
            purpose = _step(prompt.purpose, attempt)
            asked = msgspec.structs.replace(prompt, purpose=purpose)
            try:
                completion = await self._model.complete(asked)
            except ModelRefused as refused:
                if refused.reason != "content_filter":
                    raise
                continue
            spent.append(completion)
            if completion.text.strip():
                return completion
        return None

    def _words(self, kind: SummaryKind, previous: str, part: Sequence[Said]) -> int:
        """Bound a short summary by what it sums up, too: it is never longer."""
        most = self._limits.summaries[kind]
        if kind == "short":
            given = sum(self._tokens.count(each.text) for each in part)
            most = min(most, max(100, given + self._tokens.count(previous)))
        return int(most * _WORDS)

    def _parts(self, window: Sequence[Said], summary: int) -> Iterator[list[Said]]:
        """Cut into what one call may be given beside the summary so far."""
        room = max(self._limits.input - summary - _RULES, 1_000)
        part: list[Said] = []
        weight = 0
        for said in self._shortened(window, room):
            tokens = self._tokens.count(said.text) + _LINE
            if part and weight + tokens > room:
                yield part
                part, weight = [], 0
            part.append(said)
            weight += tokens
        if part:
            yield part

    def _shortened(self, window: Sequence[Said], most: int) -> list[Said]:
        """Cut each text to what one call may be given."""
        return [
            msgspec.structs.replace(
                said, text=cut_text(said.text, most - _LINE, self._tokens)
            )
            for said in window
        ]

    def _engine(self, name: str, prompt: ModuleType, completion: Completion) -> Engine:
        return Engine(
            name=self._model.transport,
            version=prompt.VERSION,
            model=completion.model,
            prompt=f"{name}@{prompt.VERSION}",
            parameters={**self._model.parameters, "finish": completion.finish},
            usage=msgspec.to_builtins(completion.usage),
            prompt_hash=prompt.HASH,
            call=completion.call,
        )


def _step(purpose: Purpose | None, number: int) -> Purpose | None:
    """Tell one of several calls from the others."""
    if purpose is None or not purpose.key:
        return purpose
    return msgspec.structs.replace(purpose, key=f"{purpose.key}/{number}")


def _in_all(last: Completion, spent: Sequence[Completion]) -> Completion:
    """Return the last answer with what all of them took."""
    usage, call = spent[0].usage, spent[0].call
    for each in spent[1:]:
        usage, call = usage + each.usage, call + each.call
    return msgspec.structs.replace(last, usage=usage, call=call)


def _supported(
    given: Sequence[Mapping[str, Any]], window: Sequence[Said], observed: str
) -> tuple[tuple[Fact, ...], Refused]:
    """Return the facts with that part of their evidence which is in the window.

    What names a line that is not there, or none of all there are, is counted.
    """
    own = tuple(each.id for each in window if each.author == observed)
    named = [_lines(each.get("evidence"), window) for each in given]
    numbered = any(lines for lines, _ in named)
    facts = []
    refused = Refused()
    for each, (lines, invented) in zip(given, named, strict=True):
        says_none = each.get("evidence") == [] or numbered
        unnamed = () if says_none and len(own) > 1 else own
        fact = Fact(each["content"], lines or unnamed)
        facts.append(fact)
        refused += Refused(int(not fact.evidence), invented)
    return tuple(fact for fact in facts if fact.evidence), refused


def _lines(
    evidence: Sequence[object] | None, window: Sequence[Said]
) -> tuple[tuple[str, ...], int]:
    """Return the messages of the lines named, and how many are not there."""
    named = dict.fromkeys(_number(each) for each in evidence or ())
    lines = [n for n in named if n is not None and 1 <= n <= len(window)]
    return tuple(window[n - 1].id for n in lines), len(named) - len(lines)


def _number(line: object) -> int | None:
    """Read a line's number, also as ``"3"`` or ``"[3]"``."""
    if isinstance(line, bool):
        return None
    if isinstance(line, int):
        return line
    digits = str(line).strip("[] ") if isinstance(line, str) else ""
    plain = digits.isascii() and digits.isdigit() and len(digits) < _LINE
    return int(digits) if plain else None
