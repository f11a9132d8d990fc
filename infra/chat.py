"""Wires chat: each level on its model if there is a key for it, else offline."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from commands.asking import Answerer, Chat, Scoped, Unanswered
from infra.answer_background import ViewBackground
from infra.cited_evidence import ViewEvidence
from infra.llm.models import Models
from infra.memory_search import ViewMemorySearch
from infra.settings import Settings
from processors.answer_by_level import AnswerByLevel
from processors.answer_question import AnswerQuestion
from processors.answer_with_model import AnswerWithModel, Effort
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


async def make_chat(settings: Settings, models: Models, parts: ChatParts) -> Chat:
    """Return the chat that settings describe (RS 7.2)."""
    memory = ViewMemorySearch(parts.database, parts.embedder, parts.views)
    offline = AnswerQuestion(memory)
    background = ViewBackground(
        parts.database,
        cards=settings.peer_card_enabled,
        history_tokens=settings.dialectic_session_history_max_tokens,
    )
    levels: dict[str, Answerer] = {}
    for name in type(settings.dialectic_levels).model_fields:
        level = getattr(settings.dialectic_levels, name)
        model = await models.find(level.model)
        if model is None:
            levels[name] = offline
            continue
        most = level.max_output_tokens or settings.dialectic_max_output_tokens
        effort = Effort(model, settings.dialectic_max_input_tokens, most)
        levels[name] = AnswerWithModel(
            effort, memory, background, tokens=parts.tokens, clock=parts.clock
        )
    return Chat(
        AnswerByLevel(levels),
        ViewEvidence(parts.database),
        _Scopes(parts.database),
        _Positions(parts.views),
    )


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
