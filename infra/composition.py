"""The composition root: settings in, a running Palimpsest out. Only this file wires.

``PROMPT`` and ``LAGGING`` in ``projections/registry.py``, ``ROUTES`` of ``commands``
and ``read_api``, and ``_processors`` below are the table of contents of the system.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from litestar.types import ASGIApp

from commands.asking import Chat
from commands.routes import ROUTES as WRITES
from infra.abandoned_clones import AbandonedClones
from infra.active_sessions import ActiveSessions
from infra.auth.wanted import wanted_keyring
from infra.chat import ChatParts, make_chat
from infra.derivation_deadlines import keep_deadlines
from infra.dreaming import Dreaming, DreamParts, make_dreaming
from infra.embedder.nobody import Nobody
from infra.engines import engine_names
from infra.erasure import with_erasure
from infra.files.pdf import PdfReader
from infra.folding import fold_views
from infra.found_messages import FoundMessages
from infra.held_conclusions import HeldConclusions
from infra.held_words import HeldWords
from infra.holdings import StoredHoldings
from infra.http.app import AppSettings, create_app
from infra.http.gate import Gate
from infra.key_source import master_key_of, signing_key_of
from infra.ledger.standing import Budgets
from infra.ledger.wiring import budget_of_all, open_ledger
from infra.llm.find_model import FindModel
from infra.llm.models import open_models
from infra.memberships import Memberships
from infra.palimpsest import Palimpsest, State
from infra.parts import Parts, now, open_parts
from infra.postgres.log import LogSettings, PostgresLog
from infra.postgres.migrate import migrate
from infra.proof.signer import Signer
from infra.reach import StoredReach
from infra.reactions import Feeds
from infra.reasoning import Reasoners, make_reasoners, said_again
from infra.settings import Settings
from infra.stored_neighbours import StoredNeighbours
from infra.sweep import sweep_daily
from infra.telemetry.telemetry import Exposition, open_telemetry
from infra.traffic import Traffic
from infra.watch import Watch
from infra.webhooks.wiring import dispatch_webhooks
from processors.announce_drained import AnnounceDrained
from processors.close_retractions import CloseRetractions
from processors.close_scopes import CloseScopes
from processors.derive_conclusions import DeriveConclusions
from processors.processor import Processor
from processors.summarize_session import SummarizeSession
from read_api import ROUTES as QUESTIONS


@asynccontextmanager
async def open_palimpsest(
    dsn: str, *, data: Path, settings: Settings
) -> AsyncIterator[Palimpsest]:
    """Migrate, open the log, fold the views, feed the processors; ready when yielded.

    Raises:
        DatabaseNewer, ViewsNewer, ViewsDrifted, LogDiverged,
        MasterKeyUnusable, SigningKeyUnusable
        asyncpg.PostgresError: the login user may not do what is needed.
    """
    keys_uri = settings.keys_connection_uri
    keys_dsn = None if keys_uri is None else keys_uri.get_secret_value()
    await migrate(dsn, keys_dsn=keys_dsn)
    async with AsyncExitStack() as running:
        telemetry = await running.enter_async_context(open_telemetry(settings))
        opening = PostgresLog.open(
            dsn, master_key_of(data, settings), LogSettings(keys_dsn=keys_dsn)
        )
        log = await running.enter_async_context(opening)
        await log.keys.verify()
        telemetry.follow(log)
        watch = Watch()
        signer = Signer(log.checkpoints, signing_key_of(data, settings), now)
        watch.add(signer.start(settings.checkpoint_seconds, running))
        traffic = Traffic()
        views = await fold_views(dsn, log, data, settings, traffic, telemetry, running)
        found = await running.enter_async_context(open_models(settings))
        feeds = await Feeds.open(dsn, log, traffic.give_way, telemetry, running)
        parts = await open_parts((dsn, log, views, feeds), settings, running)
        models = open_ledger(telemetry.models(found), parts, settings, watch, running)
        reasoners = await make_reasoners(settings, models, parts.tokens)
        state = State()
        watch.add(log.appending)
        dreaming = await _dreaming(dsn, parts, reasoners, settings, models)
        reactions = _processors(parts, reasoners, settings, dreaming.processor)
        for feed in await feeds.start(reactions):
            watch.add(feed)
        dreaming.start(running, watch)
        await _tend(parts, reasoners, settings, watch, running)
        decide, prompt = parts.write.decide, parts.prompt
        await dispatch_webhooks(
            settings, decide, parts.readers, prompt, watch, telemetry, running
        )
        chat = await make_chat(settings, models, _chat_parts(parts))
        metrics = telemetry.exposition(parts.readers)
        app = _application(parts, settings, state, chat, metrics)
        around = telemetry.around(traffic.around(app))
        yield Palimpsest(around, engine_names(settings), watch, state)


async def _dreaming(
    dsn: str, parts: Parts, reasoners: Reasoners, settings: Settings, models: FindModel
) -> Dreaming:
    needed = DreamParts(
        dsn,
        parts.log,
        parts.write,
        _reach(parts),
        parts.readers,
        parts.prompt,
        parts.vectors.questions,
        parts.tokens,
        now,
        reasoners.offline.engine,
    )
    return await make_dreaming(settings, models, needed)


def _processors(
    parts: Parts, reasoners: Reasoners, settings: Settings, dreams: Processor
) -> tuple[Processor, ...]:
    decide, log = parts.write.decide, parts.log
    near = StoredNeighbours(decide, parts.vectors.opened.serving, log, parts.readers)
    reactions = (
        DeriveConclusions(
            decide,
            log.store,
            reasoners.conclusions,
            clock=now,
            gathers=reasoners.gathers,
            said_again=said_again(settings, reasoners, near, parts.tokens),
            recollect=None if reasoners.gathers is None else HeldWords(parts.readers),
        ),
        SummarizeSession(
            decide, log.store, reasoners.summaries, tokens=parts.tokens, clock=now
        ),
        dreams,
        AnnounceDrained(
            decide, log.store, clock=now, signs=parts.write.limits.signs_webhooks
        ),
    )
    holdings = StoredHoldings(log, parts.readers, parts.views)
    closing = CloseRetractions(decide, _reach(parts))
    leaving = CloseScopes(decide, _reach(parts))
    return (*with_erasure(reactions, decide, holdings, now), closing, leaving)


async def _tend(
    parts: Parts,
    reasoners: Reasoners,
    settings: Settings,
    watch: Watch,
    running: AsyncExitStack,
) -> None:
    """Do what nobody asks for: forget what is old, ask for what is due."""
    watch.add(await parts.vectors.change.start())
    keep_deadlines(parts.write, parts.readers, reasoners.gathers, watch, running)
    log, decide = parts.log, parts.write.decide
    clones = AbandonedClones(log.store, parts.readers, decide, now)
    sweeping = asyncio.create_task(
        sweep_daily(log, clones, settings.idempotency_days, settings.llm_journal_days)
    )
    running.push_async_callback(_stop, sweeping)
    watch.add(sweeping)


def _reach(parts: Parts) -> StoredReach:
    return StoredReach(parts.log, parts.readers, parts.prompt)


def _chat_parts(parts: Parts) -> ChatParts:
    questions = parts.vectors.questions
    return ChatParts(parts.readers, parts.views, questions, parts.tokens, now)


def _application(
    parts: Parts,
    settings: Settings,
    state: State,
    chat: Chat,
    metrics: Exposition | None,
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
            "reach": _reach(parts),
            "wake_derivation": parts.woken,
            "text_memory": parts.vectors.texts,
            "pdf_text": PdfReader(),
            "active_sessions": ActiveSessions(parts.readers),
            "deletion_grace": timedelta(seconds=settings.deletion_grace_seconds),
        },
        AppSettings(
            is_ready=lambda: not state.leaving and parts.prompt.failed is None,
            health_detail=parts.vectors.change.detail,
            count_tokens=parts.tokens.count,
            limits=parts.write.limits,
            allowed_origins=settings.cors_origins,
            metrics=metrics,
            gate=None
            if keyring is None
            else Gate(keyring, Memberships(parts.readers).are_active, now),
        ),
    )


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
