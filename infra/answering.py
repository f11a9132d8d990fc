"""The HTTP doors of a process, wired to what they need."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from litestar.types import ASGIApp

from commands.asking import Chat
from commands.routes import ROUTES as WRITES
from infra.active_sessions import ActiveSessions
from infra.auth.wanted import wanted_keyring
from infra.chat import ChatParts, make_chat
from infra.embedder.nobody import Nobody
from infra.files.pdf import PdfReader
from infra.found_messages import FoundMessages
from infra.held_conclusions import HeldConclusions
from infra.http.app import AppSettings, create_app
from infra.http.gate import Gate
from infra.ledger.standing import Budgets
from infra.ledger.wiring import budget_of_all
from infra.llm.find_model import FindModel
from infra.memberships import Memberships
from infra.palimpsest import State
from infra.parts import Parts, now, reach_of
from infra.settings import Settings
from infra.telemetry.telemetry import Exposition
from read_api import ROUTES as QUESTIONS


async def make_application(
    parts: Parts,
    models: FindModel,
    settings: Settings,
    state: State,
    metrics: Exposition | None,
    detail: Callable[[], dict[str, Any]],
) -> ASGIApp:
    """Return what answers.

    ``metrics`` is what ``/metrics`` gives, if anything, ``detail`` what ``/health``
    adds.
    """
    questions = parts.vectors.questions
    needed = ChatParts(parts.readers, parts.views, questions, parts.tokens, now)
    chat = await make_chat(settings, models, needed)
    return _application(parts, settings, state, chat, metrics, detail)


def _application(
    parts: Parts,
    settings: Settings,
    state: State,
    chat: Chat,
    metrics: Exposition | None,
    detail: Callable[[], dict[str, Any]],
) -> ASGIApp:
    keyring = wanted_keyring(settings)
    return create_app(
        [*WRITES, *QUESTIONS],
        {
            "write": parts.write,
            "chat": chat,
            "database": parts.readers,
            "views": parts.views,
            "log": parts.log.store,
            "tokens": parts.tokens,
            "query_embedder": parts.vectors.questions,
            "message_embedder": parts.vectors.questions
            if settings.embed_messages
            else Nobody(),
            "reranker": parts.reranker,
            "context_max_tokens": settings.get_context_max_tokens,
            "find_message": FoundMessages(parts.readers),
            "find_held": HeldConclusions(parts.readers),
            "find_budget": Budgets(parts.log.calls, budget_of_all(settings), now),
            "reach": reach_of(parts),
            "wake_derivation": parts.woken,
            "text_memory": parts.vectors.texts,
            "pdf_text": PdfReader(),
            "active_sessions": ActiveSessions(parts.readers),
            "deletion_grace": timedelta(seconds=settings.deletion_grace_seconds),
        },
        AppSettings(
            is_ready=lambda: not state.leaving and parts.prompt.failed is None,
            health_detail=detail,
            count_tokens=parts.tokens.count,
            limits=parts.write.limits,
            allowed_origins=settings.cors_origins,
            metrics=metrics,
            kafka=settings,
            gate=None
            if keyring is None
            else Gate(keyring, Memberships(parts.readers).are_active, now),
        ),
    )
