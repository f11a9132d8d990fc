"""The composition root: settings in, a running Palimpsest out. Only this file wires.

``PROMPT`` and ``LAGGING`` in ``projections/registry.py``, ``ROUTES`` of ``commands``
and ``read_api``, and ``_processors`` below are the table of contents of the system.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from infra.abandoned_clones import AbandonedClones
from infra.answering import make_application
from infra.derivation_deadlines import keep_deadlines
from infra.dreaming import Dreaming, DreamParts, make_dreaming
from infra.engines import engine_names
from infra.erasure import with_erasure
from infra.folding import (
    BEHIND,
    PROMPTLY,
    Folding,
    Groups,
    fold_views,
    make_views_current,
    watch_views,
)
from infra.held_words import HeldWords
from infra.holdings import StoredHoldings
from infra.key_source import (
    keys_dsn_of,
    master_key_of,
    present_master_key,
    signing_key_of,
)
from infra.ledger.wiring import open_ledger
from infra.llm.find_model import FindModel
from infra.llm.models import open_models
from infra.log_choice import log_settings
from infra.palimpsest import Palimpsest, State
from infra.parts import Parts, now, open_parts, reach_of
from infra.postgres.log import PostgresLog
from infra.postgres.migrate import migrate
from infra.postgres.view_readers import open_view_readers
from infra.proof.signer import Signer
from infra.reactions import Feeds
from infra.reasoning import Reasoners, make_reasoners, said_again
from infra.roles import UP, Role
from infra.settings import Settings
from infra.stopping import stop
from infra.stored_neighbours import StoredNeighbours
from infra.sweep import sweep_daily
from infra.telemetry.telemetry import Telemetry, open_telemetry
from infra.traffic import Traffic
from infra.turns import Works
from infra.watch import Watch
from infra.webhooks.wiring import dispatch_webhooks
from processors.announce_drained import AnnounceDrained
from processors.close_retractions import CloseRetractions
from processors.close_scopes import CloseScopes
from processors.derive_conclusions import DeriveConclusions
from processors.processor import Processor
from processors.summarize_session import SummarizeSession


class _Process(msgspec.Struct, frozen=True):
    """What every process has, whatever its role."""

    dsn: str
    settings: Settings
    log: PostgresLog
    telemetry: Telemetry
    traffic: Traffic
    watch: Watch
    running: AsyncExitStack
    state: State

    @property
    def folding(self) -> Folding:
        return Folding(
            self.dsn, self.log, self.traffic.give_way, self.telemetry, self.settings
        )


async def migrate_palimpsest(dsn: str, *, data: Path, settings: Settings) -> None:
    """Bring log, keys and views to what this code knows, and say which keys are ours.

    Raises:
        DatabaseNewer, ViewsNewer, ViewsDrifted, MasterKeyUnusable, SigningKeyUnusable
        asyncpg.PostgresError: the login user may not do what is needed.
    """
    await migrate(dsn, keys_dsn=keys_dsn_of(settings))
    quietly = log_settings(settings, announces=False)
    opening = PostgresLog.open(dsn, master_key_of(data, settings), quietly)
    async with opening as log:
        await log.keys.claim()
        signing_key_of(data, settings)
        await make_views_current(dsn, log, data, settings)


@asynccontextmanager
async def open_palimpsest(
    dsn: str, *, data: Path, settings: Settings, role: Role = UP
) -> AsyncIterator[Palimpsest]:
    """Open the log, and run what the role says; ready when yielded.

    Raises:
        DatabaseNewer, ViewsNewer, ViewsDrifted, LogDiverged,
        MasterKeyUnusable, SigningKeyUnusable
        asyncpg.PostgresError: the login user may not do what is needed.
    """
    if role.migrates:
        await migrate_palimpsest(dsn, data=data, settings=settings)
    async with AsyncExitStack() as running:
        telemetry = await running.enter_async_context(open_telemetry(settings))
        log = await running.enter_async_context(
            PostgresLog.open(
                dsn,
                present_master_key(data, settings),
                log_settings(settings, process=role.name),
            )
        )
        await log.keys.verify()
        telemetry.follow(log)
        watch = Watch()
        watch.add(log.appending)
        process = _Process(
            dsn, settings, log, telemetry, Traffic(), watch, running, State()
        )
        if role.reacts:
            signer = Signer(log.checkpoints, signing_key_of(data, settings), now)
            watch.add(signer.start(settings.checkpoint_seconds, running))
        if role.relays and settings.feed_type == "kafka":
            await _relay(process, data)
        if role.reacts or role.answers:
            yield await _with_parts(process, role)
        else:
            yield await _projector(process)


async def _relay(process: _Process, data: Path) -> None:
    """Copy the log to its topic, for who is fed from there in this process."""
    from infra.kafka.relay_wiring import start_relay, wire_relay  # noqa: PLC0415  heavy

    dsn, settings, running = process.dsn, process.settings, process.running
    parts = await wire_relay(dsn, data, settings, running)
    process.telemetry.troubles.append(parts.trouble.detail)
    process.watch.add(await start_relay(parts, process.telemetry.relay(), running))


async def _projector(process: _Process) -> Palimpsest:
    """Fold the views whenever no other process does, and nothing else."""
    prompt, lagging = await process.folding.start(process.running)

    def detail() -> dict[str, Any]:
        told = {PROMPTLY: prompt.position, BEHIND: lagging.position}
        leads = prompt.leads and lagging.leads
        return {"leads": leads, **told, **process.telemetry.detail()}

    readers = await process.running.enter_async_context(
        open_view_readers(process.dsn, size=1)
    )
    return Palimpsest(
        watch=process.watch,
        state=process.state,
        is_well=lambda: prompt.failed is None and lagging.failed is None,
        detail=detail,
        metrics=process.telemetry.exposition(readers),
    )


async def _with_parts(process: _Process, role: Role) -> Palimpsest:
    """Run what reads the views, whoever folds them."""
    dsn, settings, running = process.dsn, process.settings, process.running
    log, telemetry, watch = process.log, process.telemetry, process.watch
    if role.folds:
        views: Groups = await fold_views(process.folding, running)
    else:
        views = await watch_views(dsn, watch, running)
    found = await running.enter_async_context(open_models(settings))
    give_way = process.traffic.give_way
    feeds = await Feeds.open(dsn, log, settings, give_way, telemetry, running)
    parts = await open_parts(
        (dsn, log, views, feeds),
        settings,
        running,
        fills=role.name if role.reacts else None,
    )
    models = open_ledger(telemetry.models(found), parts, settings, watch, running)
    if role.reacts:
        await _react(process, parts, feeds, models)
    else:
        watch.add(await _follow(parts, running, reads=False))
    metrics = telemetry.exposition(parts.readers)
    telemetry.troubles.append(parts.vectors.following.detail)
    app = None
    if role.answers:
        told = (metrics, telemetry.detail)
        doors = await make_application(parts, models, settings, process.state, *told)
        app = telemetry.around(process.traffic.around(doors))
    return Palimpsest(
        watch=watch,
        state=process.state,
        app=app,
        engines=engine_names(settings),
        is_well=lambda: parts.prompt.failed is None,
        detail=telemetry.detail,
        metrics=metrics,
    )


async def _react(
    process: _Process, parts: Parts, feeds: Feeds, models: FindModel
) -> None:
    """Do what follows from events, and what nobody asks for."""
    settings, watch, running = process.settings, process.watch, process.running
    reasoners = await make_reasoners(settings, models, parts.tokens)
    dreaming = await _dreaming(process.dsn, parts, reasoners, settings, models)
    reactions = _processors(parts, reasoners, settings, dreaming.processor)
    for feed in await feeds.start(reactions):
        watch.add(feed)
    dreaming.start(running, watch)
    works = Works(feeds.turns, watch, running)
    await _tend(parts, reasoners, settings, works)
    decide, prompt, telemetry = parts.write.decide, parts.prompt, process.telemetry
    await dispatch_webhooks(settings, decide, parts.readers, prompt, telemetry, works)


async def _dreaming(
    dsn: str, parts: Parts, reasoners: Reasoners, settings: Settings, models: FindModel
) -> Dreaming:
    needed = DreamParts(
        dsn,
        parts.log,
        parts.write,
        reach_of(parts),
        parts.readers,
        parts.prompt,
        parts.vectors.questions,
        parts.tokens,
        now,
        reasoners.offline.engine,
    )
    return await make_dreaming(settings, models, needed)


async def _follow(
    parts: Parts, running: AsyncExitStack, *, reads: bool
) -> asyncio.Task[None]:
    """Ask whose vectors serve, and read for them if it may, until the stack ends."""
    task = await parts.vectors.following.start(reads=reads)
    running.push_async_callback(stop, task)
    return task


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
    holdings = StoredHoldings(log, parts.readers, parts.views, parts.dsn)
    closing = CloseRetractions(decide, reach_of(parts))
    leaving = CloseScopes(decide, reach_of(parts))
    return (*with_erasure(reactions, decide, holdings, now), closing, leaving)


async def _tend(
    parts: Parts, reasoners: Reasoners, settings: Settings, works: Works
) -> None:
    """Do what nobody asks for: forget what is old, ask for what is due."""
    works.watch.add(await _follow(parts, works.running, reads=True))
    works.begin("changes of vectors", parts.vectors.change.run)
    keep_deadlines(parts.write, parts.readers, reasoners.gathers, works)
    log, decide = parts.log, parts.write.decide
    clones = AbandonedClones(log.store, parts.readers, decide, now)
    days = (settings.idempotency_days, settings.llm_journal_days)
    works.begin("the daily sweep", partial(sweep_daily, log, clones, *days))
