"""The loop of an agent: a model asks for tools until it has its answer (RS 8.4, 14.16).

However a model behaves, a run ends: its calls, the tools of one call, the tokens of
each and of all together are bounded. In the last call no tool may be used; there is
always room for it.
"""

import contextlib
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Final, Literal

import msgspec

from domain.event import Call
from processors.conversation import Conversation, cost_of
from processors.language_model import (
    Completion,
    JsonSchema,
    LanguageModel,
    Prompt,
    Purpose,
    ToolCall,
    Turn,
    Unavailable,
    Usage,
)
from processors.ports import TokenCounter
from processors.prompts.agent_turns import CONCLUDE, NUDGE, render
from processors.tools.arguments import read_object
from processors.tools.tool import ToolError
from processors.tools.toolbox import Toolbox, ToolUse

Tools = Literal["use", "see", "none"]
"""What a model may do with its tools in one call: use them, or see them at most."""

Ask = Callable[[Prompt], AsyncGenerator[str | Completion, None]]

MOST_CALLS: Final = 8
"""Tools of one turn that are carried out, unless settings say otherwise."""

_ANSWERED: Final = 32
"""Calls of one turn that are answered at all; the rest is as if never made."""

_TOO_MANY: Final = "Not carried out: these are too many calls at once."

_NOT_OF_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")

_LEAST: Final = 64
"""Tokens an answer may have however little is left."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one run may take.

    ``iterations`` are calls that may use tools, 0 for none; one that may not may
    follow.
    ``max_input`` and ``max_output`` are tokens of each call, ``max_total`` of all
    together. Once tools were used, ``required`` is ``auto``.
    """

    iterations: int
    max_input: int
    max_output: int
    max_total: int
    tool_choice: Literal["auto", "none", "required"] = "auto"
    calls_per_turn: int = MOST_CALLS


class AgentRun(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run; ``text`` is what the model said last.

    ``iterations`` counts its calls; usage and call are of them all, ``model`` and
    ``finish`` of the last. ``ended`` says whether the model was done by itself, or
    had to come to an end for want of iterations or of tokens.
    """

    text: str
    iterations: int
    tools: tuple[ToolUse, ...]
    usage: Usage
    call: Call
    model: str
    finish: str
    ended: Literal["answered", "iterations", "budget"]


class AgentLoop:
    """One run of a model with its tools; made for one, used once.

    ``purpose`` is what each call is for; which call of the run it is is added, also
    to its ``key`` where it has one. What is asked without tools is asked in the form
    of ``schema``, if there is one: some providers take no schema beside tools.
    """

    def __init__(
        self,
        model: LanguageModel,
        limits: Limits,
        toolbox: Toolbox,
        *,
        tokens: TokenCounter,
        purpose: Purpose,
        schema: JsonSchema | None = None,
    ) -> None:
        self._model = model
        self._limits = limits
        self._toolbox = toolbox
        self._tokens = tokens
        self._purpose = purpose
        self._schema = schema
        self._taken: list[Completion] = []
        self._spent = 0
        self._used: list[ToolUse] = []
        self._offered = cost_of(toolbox.offers, tokens)
        self._given = 0
        """Tokens of what is being asked, as we count."""
        self._more = 1.0
        """How many tokens the provider counts where we count one."""

    async def complete(self, opening: Sequence[Turn]) -> AgentRun:
        """Run to the end.

        Raises:
            Unavailable, Malformed, ModelRefused: as the model does.
        """
        async with aclosing(self._run(opening, self._whole)) as steps:
            async for step in steps:
                if isinstance(step, AgentRun):
                    return step
        raise Unavailable(f"the model {self._model.model}")  # pragma: no cover

    async def stream(
        self, opening: Sequence[Turn]
    ) -> AsyncGenerator[str | Completion | AgentRun, None]:
        """Yield what the model says as it says it, in no form, and the run last.

        Each call's pieces are followed by its completion: one with calls goes on with
        tools. Closing the generator ends the call at the provider.

        Raises:
            Unavailable, ModelRefused: as the model does.
        """
        async with aclosing(self._run(opening, self._pieces)) as steps:
            async for step in steps:
                yield step

    async def _run(
        self, opening: Sequence[Turn], ask: Ask
    ) -> AsyncGenerator[str | Completion | AgentRun, None]:
        conversation = Conversation(opening, self._tokens)
        nudged, silent, ended = False, False, "iterations"
        offers = self._toolbox.offers and self._limits.tool_choice != "none"
        for _ in range(self._limits.iterations if offers else 0):
            prompt, affordable = self._prompt(conversation, "use")
            if not affordable:
                ended = "budget"
                break
            async with aclosing(self._asked(ask, prompt)) as pieces:
                async for piece in pieces:
                    yield piece
            said = self._taken[-1]
            silent = not said.calls and not said.text.strip()
            if said.calls:
                conversation.add(*await self._answer(said))
            elif nudged or not silent:
                yield self._ended("answered")
                return
            else:
                conversation.say(render(NUDGE))
                nudged = True
        if self._taken and not silent:
            conversation.say(render(CONCLUDE))
        tools: Tools = "see" if self._taken else "none"
        while True:
            prompt, _ = self._prompt(conversation, tools)
            async with aclosing(self._asked(ask, prompt)) as pieces:
                async for piece in pieces:
                    yield piece
            last = self._taken[-1]
            may_help = not nudged or (last.calls and tools == "see")
            if last.text.strip() or ended == "budget" or not may_help:
                break
            conversation.say(render(NUDGE))
            nudged, tools = True, "none"
        yield self._ended(ended if len(self._taken) > 1 else "answered")

    async def _asked(
        self, ask: Ask, prompt: Prompt
    ) -> AsyncGenerator[str | Completion, None]:
        """Ask once, and count what it took."""
        completion = None
        async with aclosing(ask(prompt)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Completion):
                    completion = piece
                else:
                    yield piece
        if completion is None:
            raise Unavailable(f"the model {self._model.model}")
        self._taken.append(completion)
        self._count(completion)
        yield completion

    def _count(self, completion: Completion) -> None:
        """Count what was spent; a provider counts otherwise than we, or not at all."""
        usage = completion.usage
        if usage.input:
            self._more = max(1.0, usage.input / max(1, self._given))
        said = Conversation([completion.turn], self._tokens)
        self._spent += usage.input or self._given
        self._spent += usage.output or said.within(0)[1]

    def _prompt(self, conversation: Conversation, tools: Tools) -> tuple[Prompt, bool]:
        """Return what is asked next, and whether there is room for more after it.

        Some providers refuse a conversation in which tools were used unless they see
        the tools; some that see them use them even if they may not.
        """
        limits, left = self._limits, self._limits.max_total - self._spent
        offered = 0 if tools == "none" else self._offered
        room = min(limits.max_input, left - limits.max_output) / self._more
        turns, cost = conversation.within(int(room) - offered)
        self._given = cost + offered
        cost = int(self._given * self._more)
        most = max(min(limits.max_output, left - cost), min(_LEAST, limits.max_output))
        choice = limits.tool_choice if tools == "use" and not self._used else "auto"
        prompt = Prompt(
            turns=turns,
            max_tokens=most,
            tools=() if tools == "none" else self._toolbox.offers,
            tool_choice="none" if tools == "see" else choice,
            purpose=self._step(),
        )
        return prompt, left >= 2 * (cost + limits.max_output)

    def _step(self) -> Purpose:
        number = len(self._taken) + 1
        key = f"{self._purpose.key}:{number}" if self._purpose.key else ""
        return msgspec.structs.replace(self._purpose, key=key, step=number)

    async def _answer(self, said: Completion) -> list[Turn]:
        """Carry out what was called for, in order; return the turns that say so."""
        turns = []
        calls = said.calls[:_ANSWERED]
        for number, call in enumerate(calls):
            text = _TOO_MANY
            if number < self._limits.calls_per_turn:
                text, use = await self._toolbox.use(call, len(self._taken))
                self._used.append(use)
            turns.append(Turn("tool", text, call=call.id))
        fit = tuple(map(_fit, calls))
        # What only the provider reads holds the calls as they were made.
        artefacts = said.artefacts if fit == said.calls else ()
        return [Turn("assistant", said.text, fit, artefacts=artefacts), *turns]

    async def _whole(self, prompt: Prompt) -> AsyncGenerator[str | Completion, None]:
        if self._schema is not None and not _may_use_tools(prompt):
            structured = await self._model.structured(prompt, self._schema)
            yield structured.completion
        else:
            yield await self._model.complete(prompt)

    async def _pieces(self, prompt: Prompt) -> AsyncGenerator[str | Completion, None]:
        async with aclosing(self._model.stream(prompt)) as pieces:
            async for piece in pieces:
                yield piece

    def _ended(self, ended: str) -> AgentRun:
        last = self._taken[-1]
        usage, call = last.usage, last.call
        for each in self._taken[:-1]:
            usage, call = each.usage + usage, each.call + call
        return AgentRun(
            text=last.text,
            iterations=len(self._taken),
            tools=tuple(self._used),
            usage=usage,
            call=call,
            model=last.model,
            finish=last.finish,
            ended=msgspec.convert(ended, Literal["answered", "iterations", "budget"]),
        )


def _may_use_tools(prompt: Prompt) -> bool:
    return bool(prompt.tools) and prompt.tool_choice != "none"


def _fit(call: ToolCall) -> ToolCall:
    """Drop what no provider would take back; what is wrong with it was answered."""
    name, arguments = _NOT_OF_NAMES.sub("_", call.name)[:64], "{}"
    with contextlib.suppress(ToolError):
        read_object(call.arguments)
        arguments = call.arguments
    return ToolCall(call.id, name or "_", arguments)
