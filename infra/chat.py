"""Wires chat: each level on its model if there is a key for it, else offline."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from commands.asking import Answerer, Chat, Scoped, Unanswered
from infra.answer_background import ViewBackground
from infra.cited_evidence import ViewEvidence
from infra.llm.find_model import FindModel
from infra.llm.json_answer import NotOfSchema, read_answer
from infra.memory_search import ViewMemorySearch
from infra.memory_view import ViewMemories
from infra.random_id import random_id
from infra.settings import Settings
from infra.settings.dialectic import DialecticLevel
from processors.agent_loop import Limits
from processors.answer_by_level import AnswerByLevel
from processors.answer_form import NotOfForm
from processors.answer_question import AnswerQuestion
from processors.answer_with_model import AnswerWithModel
from processors.asking_model import Effort, Sources
from processors.language_model import LanguageModel
from processors.ports import TokenCounter
from projections.ports import Database, QueryEmbedder, Views
from read_api.moment import WAIT, find_position
from read_api.scopes import resolve_scope


class ChatParts(msgspec.Struct, frozen=True):
    """What chat needs of the rest."""

    database: Database
    views: Views
    embedder: QueryEmbedder
    tokens: TokenCounter
    clock: Callable[[], datetime]


async def make_chat(settings: Settings, models: FindModel, parts: ChatParts) -> Chat:
    """Return the chat that settings describe (RS 7.2)."""
    memory = ViewMemorySearch(parts.database, parts.embedder, parts.views)
    offline = AnswerQuestion(memory)
    sources = Sources(
        memory=memory,
        gather=ViewBackground(
            parts.database,
            cards=settings.peer_card_enabled,
            history_tokens=settings.dialectic_session_history_max_tokens,
        ),
        open_memory=ViewMemories(parts.database, parts.embedder),
        read_form=_read_form,
        tokens=parts.tokens,
        clock=parts.clock,
        new_id=random_id,
    )
    levels: dict[str, Answerer] = {}
    for name in type(settings.dialectic_levels).model_fields:
        level = getattr(settings.dialectic_levels, name)
        model = await models.find(level.model)
        levels[name] = offline
        if model is not None:
            effort = _effort(model, level, settings)
            levels[name] = AnswerWithModel(effort, sources)
    return Chat(
        AnswerByLevel(levels),
        ViewEvidence(parts.database),
        _Scopes(parts.database),
        _Positions(parts.views),
    )


def _effort(model: LanguageModel, level: DialecticLevel, settings: Settings) -> Effort:
    return Effort(
        model=model,
        limits=Limits(
            iterations=level.max_tool_iterations,
            max_input=settings.dialectic_max_input_tokens,
            max_output=level.max_output_tokens or settings.dialectic_max_output_tokens,
            max_total=settings.dialectic_max_total_tokens,
            tool_choice=level.tool_choice,
            calls_per_turn=settings.llm_max_tool_calls_per_turn,
        ),
        prefetched=level.prefetch,
        tool_chars=settings.llm_max_tool_output_chars,
        text_chars=settings.llm_max_message_content_chars,
    )


def _read_form(text: str, schema: Mapping[str, Any]) -> Any:
    """Fulfil ``processors.answer_form.ReadForm``."""
    try:
        return read_answer(text, schema)
    except NotOfSchema as wrong:
        raise NotOfForm(str(wrong)) from None


class _Scopes:
    """Fulfils ``commands.ports.FindScopes``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(
        self, workspace: str, scope: str | Sequence[str], as_of: int
    ) -> Scoped:
        async with self._database.acquire() as db:
            found = await resolve_scope(db, workspace, scope, as_of)
        sessions = None if found.sessions is None else tuple(found.sessions)
        return Scoped(found.observer, sessions)


class _Positions:
    """Fulfils ``commands.asking.FindPosition``."""

    def __init__(self, views: Views) -> None:
        self._views = views

    async def __call__(self, moment: int | datetime) -> int:
        position = await find_position(self._views, moment)
        vectors = self._views.vectors
        if position > vectors.position and not await vectors.wait_for(position, WAIT):
            raise Unanswered(1, f"The views have not reached position {position}")
        return position
