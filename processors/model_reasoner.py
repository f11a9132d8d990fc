"""A language model behind the reasoner's port (RS 3, 4)."""

from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Final

import msgspec

from domain.derivation import Refused
from domain.event import Engine
from domain.session import SummaryKind
from domain.summary import SUMMARY_TOKENS
from processors.believed import believed
from processors.cut_text import cut_text
from processors.language_model import (
    Completion,
    LanguageModel,
    Malformed,
    ModelRefused,
    Prompt,
    Purpose,
)
from processors.parts import parts
from processors.ports import TokenCounter
from processors.prompts import derive_conclusions, summarize_long, summarize_short
from processors.reasoner import Drawn, Fact, Said, SummedUp, Window

_SUMMARIES: Final[Mapping[SummaryKind, ModuleType]] = {
    "short": summarize_short,
    "long": summarize_long,
}

_WORDS: Final = 0.75
"""Words for each token that an answer may have (RS 4.1)."""

_LEAST: Final = 1_000
"""Tokens of what was said that one call is given however little it may be given."""

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

    A window is one call for all its peers, unless it is longer than a call may be
    given; what is believed of the answer says ``believed.py``. Sums up in steps what
    does not fit one call.
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

    async def derive(self, window: Window) -> Drawn:
        """Return what the window tells of its peers, in the order of the answers.

        Raises:
            Malformed: also where no fact rests on any line of the window.
            Unavailable, ModelRefused
        """
        facts: list[Fact] = []
        refused = Refused()
        spent: list[Completion] = []
        for step, part in enumerate(self._readings(window)):
            answer = await self._model.structured(
                Prompt(
                    turns=derive_conclusions.render(
                        part, window.observed, window.instructions
                    ),
                    max_tokens=self._limits.facts,
                    purpose=_step(window.purpose, step),
                ),
                derive_conclusions.FORM,
            )
            spent.append(answer.completion)
            given = [e for e in answer.value["explicit"] or () if e["content"].strip()]
            found, invented = believed(given, part, window.observed)
            if given and not found:
                raise Malformed(f"the model {self._model.model}")
            facts += found
            refused += invented
        if not spent:
            return Drawn((), self.engine)
        engine = self._engine(
            "derive_conclusions", derive_conclusions, _in_all(spent[-1], spent)
        )
        return Drawn(tuple(facts), engine, refused)

    def _readings(self, window: Window) -> Iterator[list[Said]]:
        """Cut into what one call may be given: as good as always all of it."""
        wanted = self._tokens.count(window.instructions or "")
        room = max(self._limits.input - _RULES - wanted, _LEAST)
        return parts(window.said, room, self._tokens, window.observed)

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
        room = max(self._limits.input - most - _RULES, _LEAST)
        everybody = {each.author for each in window}
        for step, part in enumerate(parts(window, room, self._tokens, everybody)):
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
        if not spent:
            return SummedUp("", self.engine)
        whole = _in_all(spent[-1], spent)
        engine = self._engine(f"summarize_{kind}", prompts, whole)
        if completion is None:
            return SummedUp("", engine)
        return SummedUp(cut_text(text, most, self._tokens), engine)

    async def _told(self, prompt: Prompt, spent: list[Completion]) -> Completion | None:
        """Return an answer that says something; add each that came to ``spent``."""
        for attempt in range(_TOLD_WITHIN):
            purpose = _step(prompt.purpose, attempt)
            asked = msgspec.structs.replace(prompt, purpose=purpose)
            try:
                completion = await self._model.complete(asked)
            except ModelRefused as refused:
                if not refused.withheld:
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

    def _engine(self, name: str, prompt: ModuleType, completion: Completion) -> Engine:
        return Engine(
            name=completion.transport or self._model.transport,
            version=prompt.VERSION,
            model=completion.model,
            prompt=f"{name}@{prompt.VERSION}",
            parameters={**self._model.parameters, "finish": completion.finish},
            usage=msgspec.to_builtins(completion.usage),
            prompt_hash=prompt.HASH,
            call=completion.call,
        )


def _in_all(last: Completion, spent: Sequence[Completion]) -> Completion:
    """Return the last answer with what all of them took."""
    usage, call = spent[0].usage, spent[0].call
    for each in spent[1:]:
        usage, call = usage + each.usage, call + each.call
    return msgspec.structs.replace(last, usage=usage, call=call)


def _step(purpose: Purpose | None, number: int) -> Purpose | None:
    """Tell one of several calls from the others."""
    if purpose is None or not purpose.key:
        return purpose
    return msgspec.structs.replace(purpose, key=f"{purpose.key}/{number}")
