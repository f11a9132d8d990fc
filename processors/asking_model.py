"""What a model is asked and given before it is asked: memory, background, tools."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from commands.asking import AskedQuestion
from processors.agent_loop import Limits
from processors.answer_form import ReadForm
from processors.conversation import cost_of
from processors.language_model import JsonSchema, LanguageModel, Purpose, Turn
from processors.ports import TokenCounter
from processors.prompts import answer_question as prompts
from processors.recall import (
    Background,
    GatherBackground,
    MemorySearch,
    Recollection,
)
from processors.sights import sight_of
from processors.tools.memory import OpenMemory
from processors.tools.registry import chat_tools
from processors.tools.shown import Kind, Named, Shown
from processors.tools.toolbox import Toolbox

_LINE: Final = 24
"""Tokens of a label, a date and a name, at most."""


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """What one level may take (RS 7.2).

    ``prefetched`` are explicit conclusions fetched beforehand, and as many others and
    messages; ``tool_chars`` and ``text_chars`` bound what a tool answers and one text
    within it, in characters.
    """

    model: LanguageModel
    limits: Limits
    prefetched: int
    tool_chars: int
    text_chars: int


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """What answering needs of the world."""

    memory: MemorySearch
    gather: GatherBackground
    open_memory: OpenMemory
    read_form: ReadForm
    tokens: TokenCounter
    clock: Callable[[], datetime]
    new_id: Callable[[], str]


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """A question made ready for a model.

    ``prefetched`` counts what was found for it beforehand, ``conclusions`` and
    ``messages`` are the ids of all it was given, but for the history of its session,
    with which an answer goes anyway; ``as_of`` is the position memory was
    asked at.
    """

    opening: tuple[Turn, ...]
    toolbox: Toolbox
    shown: Shown
    schema: JsonSchema | None
    purpose: Purpose
    prefetched: int
    conclusions: tuple[str, ...]
    messages: tuple[str, ...]
    as_of: int

    def evidence(
        self, cited: Sequence[str] | None
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return conclusions and messages an answer rests on, each once.

        They are what was cited; where nothing was said of that, all whose text was
        shown. With a conclusion come the messages it rests on.
        """
        if cited is None:
            named = [Named(each.kind, each.id) for each in self.shown.everything]
        else:
            named = [each for c in cited if (each := self.shown.find(c)) is not None]
        conclusions = [each.id for each in named if each.kind == "conclusion"]
        messages = [each.id for each in named if each.kind == "message"]
        for each in named:
            text = self.shown.text_of(each)
            messages.extend(() if text is None else text.evidence)
        return tuple(dict.fromkeys(conclusions)), tuple(dict.fromkeys(messages))


async def prepare_asking(
    question: AskedQuestion, effort: Effort, sources: Sources
) -> Asking:
    """Fetch what is nearest to a question, and make its tools and its prompt."""
    recalled = await sources.memory.recall(question, effort.prefetched)
    background = await sources.gather(question)
    shown = Shown(most=effort.text_chars)
    toolbox = _toolbox(question, effort, sources, shown)
    aided = bool(toolbox.offers)
    room = effort.limits.max_input - cost_of(toolbox.offers, sources.tokens)
    given = (question, background, sources.clock())
    room -= _cost(sources.tokens, given, aided=aided)
    found = _within(sources.tokens, recalled.found, room, effort.text_chars)
    schema = None
    if question.form is not None:
        schema = JsonSchema("answer", question.form.schema, question.form.shown)
    run = sources.new_id()
    return Asking(
        opening=prompts.render(
            question, found, background, sources.clock(), shown, aided=aided
        ),
        toolbox=toolbox,
        shown=shown,
        schema=schema,
        purpose=Purpose(
            workspace=question.workspace,
            feature="dialectic.answer",
            run=run,
            peer=question.peer,
            session=question.session,
        ),
        prefetched=len(found),
        conclusions=(*_ids(found, "conclusion"), *background.rests_on),
        messages=_ids(found, "message"),
        as_of=recalled.as_of,
    )


def _ids(found: Sequence[Recollection], kind: Kind) -> tuple[str, ...]:
    return tuple(each.id for each in found if each.kind == kind)


def _toolbox(
    question: AskedQuestion, effort: Effort, sources: Sources, shown: Shown
) -> Toolbox:
    if not uses_tools(effort.limits):
        return Toolbox(())
    memory = sources.open_memory(sight_of(question))
    tools = chat_tools(question.level, memory, shown, question.target)
    return Toolbox(tools, most=effort.tool_chars)


def uses_tools(limits: Limits) -> bool:
    """Tell whether a run within these limits may use a tool."""
    return limits.iterations > 0 and limits.tool_choice != "none"


def _cost(
    tokens: TokenCounter,
    given: tuple[AskedQuestion, Background, datetime],
    *,
    aided: bool,
) -> int:
    """Count the tokens of a prompt before which nothing was found."""
    question, background, today = given
    turns = prompts.render(question, (), background, today, Shown(), aided=aided)
    return sum(tokens.count(turn.content) for turn in turns)


def _within(
    tokens: TokenCounter, found: Sequence[Recollection], room: int, most: int
) -> tuple[Recollection, ...]:
    """Keep the best of what fits the model's input."""
    kept = []
    for each in found:
        room -= tokens.count(each.text[:most]) + _LINE
        if room < 0:
            break
        kept.append(each)
    return tuple(kept)
