"""Wires dreams: on models where there is a key for them, else ended honestly."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import msgspec

from commands.ports import Clock, Views
from commands.reach import Reach
from commands.write import Write
from domain.card_form import CardForm
from domain.dream import Specialist
from domain.dreaming import Rest
from domain.event import Engine
from infra.dream_alarm import DreamAlarm
from infra.dream_cards import ConfiguredCards, StoredCards
from infra.dream_news import StoredNews
from infra.llm.find_model import FindModel
from infra.memory_view import ViewMemories
from infra.postgres.log import PostgresLog
from infra.settings import Settings
from infra.settings.model_choice import ModelConfig
from infra.stopping import stop
from infra.stored_grounds import StoredGrounds
from infra.surprisal.hints import make_hints
from infra.watch import Watch
from processors.agent_loop import Limits
from processors.dream import Dream
from processors.dream_offline import DreamOffline
from processors.language_model import LanguageModel
from processors.ports import TokenCounter
from processors.processor import Processor
from processors.schedule_dreams import DreamRules, ScheduleDreams
from processors.specialists import Equipment, Means, SpecialistAtWork
from projections.ports import Database, QueryEmbedder


class DreamParts(msgspec.Struct, frozen=True):
    """What dreams need of the rest."""

    dsn: str
    log: PostgresLog
    write: Write
    reach: Reach
    database: Database
    views: Views
    embedder: QueryEmbedder
    tokens: TokenCounter
    clock: Clock
    offline: Engine


class Dreaming(msgspec.Struct, frozen=True):
    """What follows the log, and what wakes dreams; None where nothing dreams."""

    processor: Processor
    alarm: DreamAlarm | None

    def start(self, running: AsyncExitStack, watch: Watch) -> None:
        """Begin to wake dreams, until the stack ends."""
        if self.alarm is None:
            return
        task = asyncio.create_task(self.alarm.run(), name="dreams")
        running.push_async_callback(stop, task)
        watch.add(task)


async def make_dreaming(
    settings: Settings, models: FindModel, parts: DreamParts
) -> Dreaming:
    """Return dreams as settings describe them.

    They come on models if all who work in them have one. Without, none comes by
    itself, and one that is asked for ends at once and says why.
    """
    deduction = await models.find(settings.dream_deduction_model_config)
    induction = await models.find(settings.dream_induction_model_config)
    if deduction is None or induction is None:
        return Dreaming(DreamOffline(parts.write.decide, parts.offline), None)
    decide = parts.write.decide
    news = StoredNews(parts.log, parts.database, parts.views)
    work = SpecialistAtWork(
        _means(settings, parts, news), _equipment(settings, deduction, induction)
    )
    rules = _rules(settings)
    attempts = settings.dream_max_attempts
    dream = Dream(decide, news, work, rules, parts.clock, attempts=attempts)
    alarm = DreamAlarm(
        dream,
        parts.log.store,
        parts.database,
        parts.clock,
        parts.dsn,
        workers=settings.dream_workers,
    )
    return Dreaming(ScheduleDreams(decide, news, rules, parts.clock), alarm)


def _equipment(
    settings: Settings, deduction: LanguageModel, induction: LanguageModel
) -> dict[Specialist, Equipment]:
    first = settings.dream_deduction_model_config
    second = settings.dream_induction_model_config
    return {
        "deduction": Equipment(deduction, _limits(settings, "deduction", first)),
        "induction": Equipment(induction, _limits(settings, "induction", second)),
        "card_refresh": Equipment(deduction, _limits(settings, "card_refresh", first)),
    }


def _means(settings: Settings, parts: DreamParts, news: StoredNews) -> Means:
    decide = parts.write.decide
    return Means(
        decide=decide,
        write=parts.write,
        reach=parts.reach,
        find_grounds=StoredGrounds(parts.log, parts.database, parts.views),
        open_memory=ViewMemories(parts.database, parts.embedder),
        read_card=StoredCards(news, parts.database),
        makes_cards=ConfiguredCards(decide, otherwise=settings.peer_card_enabled),
        find_hints=make_hints(settings.dream_surprisal, parts.database, parts.embedder),
        tokens=parts.tokens,
        form=CardForm(
            settings.dream_card_max_entries, settings.dream_card_max_entry_chars
        ),
        tool_chars=settings.llm_max_tool_output_chars,
        text_chars=settings.llm_max_message_content_chars,
    )


def _rules(settings: Settings) -> DreamRules:
    enabled = settings.dream_enabled
    return DreamRules(
        threshold=settings.dream_document_threshold,
        rest=Rest(
            timedelta(minutes=settings.dream_idle_timeout_minutes),
            timedelta(hours=settings.dream_min_hours_between_dreams),
        ),
        kinds=tuple(dict.fromkeys(settings.dream_enabled_types)) if enabled else (),
    )


def _limits(settings: Settings, who: Specialist, config: ModelConfig) -> Limits:
    iterations = {
        "deduction": settings.dream_deduction_max_tool_iterations,
        "induction": settings.dream_induction_max_tool_iterations,
        "card_refresh": settings.dream_card_refresh_max_tool_iterations,
    }
    return Limits(
        iterations=min(iterations[who], settings.dream_max_tool_iterations),
        max_input=settings.dream_max_input_tokens,
        max_output=config.max_output_tokens or settings.dream_max_output_tokens,
        max_total=settings.dream_max_total_tokens,
        calls_per_turn=settings.llm_max_tool_calls_per_turn,
    )
