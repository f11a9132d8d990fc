"""Those who work in a dream: a model with its tools, for one task (RS 6.3)."""

from collections import Counter
from collections.abc import Mapping
from types import ModuleType
from typing import Final, Protocol

import msgspec

from commands.decide import Decide
from commands.grounds import FindGrounds
from commands.ports import EventStoreError
from commands.reach import Reach
from commands.write import Write
from domain.card_form import CardForm
from domain.dream import Specialist, SpecialistCompleted
from domain.event import Engine
from domain.names import is_reserved
from processors.agent_loop import AgentLoop, AgentRun, Limits
from processors.dream_run import DreamRun, ReadCard, Tally, Task
from processors.language_model import (
    Feature,
    LanguageModel,
    ModelRefused,
    Purpose,
    Turn,
    Unavailable,
)
from processors.ports import TokenCounter
from processors.prompts import dream_card_refresh, dream_deduction, dream_induction
from processors.surprisal import FindHints, Hints
from processors.tools.create_observations_contradiction import (
    CreateObservationsContradiction,
)
from processors.tools.create_observations_deductive import CreateObservationsDeductive
from processors.tools.create_observations_inductive import CreateObservationsInductive
from processors.tools.delete_observations import DeleteObservations
from processors.tools.memory import OpenMemory, Sight
from processors.tools.registry import READ_TOOLS
from processors.tools.shown import MOST_QUOTED, Shown
from processors.tools.tool import Tool
from processors.tools.toolbox import MOST_OUTPUT, Toolbox
from processors.tools.update_peer_card import UpdatePeerCard, card_lines

_PROMPTS: Final[Mapping[Specialist, ModuleType]] = {
    "deduction": dream_deduction,
    "induction": dream_induction,
    "card_refresh": dream_card_refresh,
}

_FEATURES: Final[Mapping[Specialist, Feature]] = {
    "deduction": "dream.deduction",
    "induction": "dream.induction",
    "card_refresh": "dream.card_refresh",
}

_READS: Final[Mapping[Specialist, tuple[str, ...]]] = {
    "deduction": ("get_recent_observations", "search_memory", "search_messages"),
    "induction": ("get_recent_observations", "search_memory", "search_messages"),
    "card_refresh": ("get_recent_observations", "search_memory"),
}
"""What each may look at (RS 6.3)."""


Stopped = Unavailable | ModelRefused | EventStoreError


TOOLS: Final = frozenset(
    (
        *READ_TOOLS,
        CreateObservationsDeductive.name,
        CreateObservationsInductive.name,
        CreateObservationsContradiction.name,
        DeleteObservations.name,
        UpdatePeerCard.name,
    )
)
"""All tools any of them may have."""


class SpecialistFailed(Exception):  # noqa: N818  says what happened
    """A specialist came to no end; ``tally`` is what it had changed by then.

    ``failure`` is what stopped it.
    """

    def __init__(self, tally: Tally, failure: Stopped) -> None:
        super().__init__("A specialist came to no end")
        self.tally = tally
        self.failure = failure


class Equipment(msgspec.Struct, frozen=True):
    """A specialist's model, and what one run of it may take."""

    model: LanguageModel
    limits: Limits


class MakesCards(Protocol):
    """Tells whether agents may write cards, by configuration (RS 5)."""

    async def __call__(self, task: Task) -> bool: ...


class Means(msgspec.Struct, frozen=True):
    """What specialists work with, whoever they are."""

    decide: Decide
    write: Write
    reach: Reach
    find_grounds: FindGrounds
    open_memory: OpenMemory
    read_card: ReadCard
    makes_cards: MakesCards
    find_hints: FindHints
    tokens: TokenCounter
    form: CardForm
    tool_chars: int = MOST_OUTPUT
    text_chars: int = MOST_QUOTED


class SpecialistAtWork:
    """Carries out a task: an agent run whose effects are those of its tools."""

    def __init__(self, means: Means, equipment: Mapping[Specialist, Equipment]) -> None:
        self._means = means
        self._equipment = equipment

    def engine(self, specialist: Specialist) -> Engine:
        """Name the model of a specialist, and how it is asked."""
        model, prompt = self._equipment[specialist].model, _PROMPTS[specialist]
        name = prompt.__name__.rpartition(".")[2]
        return Engine(
            name=model.transport,
            version=prompt.VERSION,
            model=model.model,
            prompt=f"{name}@{prompt.VERSION}",
            parameters=dict(model.parameters),
            prompt_hash=prompt.HASH,
        )

    async def __call__(self, task: Task) -> SpecialistCompleted:
        """Work until the model is done, or may take no more.

        Raises:
            SpecialistFailed: of what the model, or a store, could not.
        """
        means, equipment = self._means, self._equipment[task.specialist]
        run = DreamRun(
            task,
            means.decide,
            means.find_grounds,
            self.engine(task.specialist),
            Shown(most=means.text_chars),
        )
        if task.specialist == "card_refresh" and not await means.makes_cards(task):
            return _completed(run, None, Hints())
        try:
            turns, tools, hints = await self._prepare(run)
            loop = AgentLoop(
                equipment.model,
                equipment.limits,
                Toolbox(tools, most=means.tool_chars),
                tokens=means.tokens,
                purpose=_purpose(task),
            )
            done = await loop.complete(turns)
        except (Unavailable, ModelRefused, EventStoreError) as failure:
            raise SpecialistFailed(run.tally, failure) from failure
        return _completed(run, done, hints)

    async def _prepare(
        self, run: DreamRun
    ) -> tuple[tuple[Turn, ...], list[Tool], Hints]:
        """Return what a specialist is told, what it is offered, and its hints."""
        task, means = run.task, self._means
        workspace, observer, observed = task.pair
        sight = Sight(
            workspace=workspace,
            observer=observer,
            observed=observed,
            scope=is_reserved(observer),
            as_of=task.position,
        )
        memory = means.open_memory(sight)
        tools = [
            READ_TOOLS[name](memory, run.shown, observed)
            for name in _READS[task.specialist]
        ]
        pair = (observer, observed)
        if task.specialist == "induction":
            hints = await means.find_hints(task.pair, task.position)
            tools.append(CreateObservationsInductive(run))
            return dream_induction.render(pair, hints.texts), tools, hints
        card = await means.read_card(task.pair, task.position)
        writes_card = await means.makes_cards(task)
        update = UpdatePeerCard(run, card, means.read_card, means.form)
        if task.specialist == "card_refresh":
            shown = None if task.dream.rebuild else card_lines(card)
            return dream_card_refresh.render(pair, shown), [*tools, update], Hints()
        hints = await means.find_hints(task.pair, task.position)
        tools += [
            CreateObservationsDeductive(run),
            CreateObservationsContradiction(run),
            DeleteObservations(run, means.write, means.reach),
        ]
        tools += [update] if writes_card else []
        shown = card_lines(card) if writes_card else None
        return dream_deduction.render(pair, shown, hints.texts), tools, hints


def _purpose(task: Task) -> Purpose:
    return Purpose(
        workspace=task.dream.workspace,
        feature=_FEATURES[task.specialist],
        key=task.key,
        run=task.dream.id,
        peer=task.dream.observed,
    )


def _completed(
    run: DreamRun, done: AgentRun | None, hints: Hints
) -> SpecialistCompleted:
    """Tell what came of a run; without one cards are not made here."""
    task, tally, engine = run.task, run.tally, run.engine
    calls: Counter[str] = Counter()
    if done is not None:
        # A name of no tool is whatever a model wrote, and is told nowhere.
        calls.update(use.tool if use.tool in TOOLS else "unknown" for use in done.tools)
        engine = msgspec.structs.replace(
            engine,
            model=done.model,
            usage=msgspec.structs.asdict(done.usage),
            call=done.call,
        )
    return SpecialistCompleted(
        workspace=task.dream.workspace,
        id=task.dream.id,
        observer=task.dream.observer,
        observed=task.dream.observed,
        attempt=task.attempt,
        specialist=task.specialist,
        position=task.position,
        through=task.position,
        engine=engine,
        iterations=0 if done is None else done.iterations,
        tool_calls=dict(calls),
        created=dict(tally.created),
        reinforced=tally.reinforced,
        deleted=dict(tally.deleted),
        card_changes=tally.card_changes,
        refused=tally.refused,
        hints=len(hints.texts),
        no_hints=hints.reason,
        ended="cards-are-off" if done is None else done.ended,
    )
