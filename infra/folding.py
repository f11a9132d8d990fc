"""The views of a process: made current, kept folded, or watched."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import msgspec

from infra.folded_views import FoldedViews
from infra.key_source import keys_dsn_of
from infra.leisure import Leisure
from infra.postgres.log import PostgresLog
from infra.projector import Projector, Subscribe
from infra.rebuild.crew import Hands
from infra.rebuild.drift import make_current
from infra.settings import Settings
from infra.stopping import stop
from infra.telemetry.telemetry import Telemetry
from infra.traffic import GiveWay
from infra.watch import Watch
from infra.watched_views import ViewWatch, WatchedViews
from projections.registry import LAGGING, PROMPT

PROMPTLY: Final = "prompt"
BEHIND: Final = "lagging"
"""The names of the two groups, as metrics and who watches know them."""


class Folding(msgspec.Struct, frozen=True):
    """What views are folded with."""

    dsn: str
    log: PostgresLog
    give_way: GiveWay
    telemetry: Telemetry
    settings: Settings

    async def start(self, running: AsyncExitStack) -> tuple[Projector, Projector]:
        """Fold both groups until the stack ends, whenever no other process does."""
        log, lags = self.log, await self._lags(running)
        leisure = Leisure(self.give_way, lambda: log.head)
        prompt = Projector(self.dsn, log.store, log.subscription, PROMPT)
        lagging = Projector(
            self.dsn,
            log.store,
            lags,
            LAGGING,
            follows=prompt,
            give_way=leisure.give_way,
        )
        lagging.tell([leisure.folded])
        for name, projector in ((PROMPTLY, prompt), (BEHIND, lagging)):
            projector.announce_as(name)
            projector.tell(self.telemetry.folds(name))
            await projector.start()
            running.push_async_callback(projector.close)
        return prompt, lagging

    async def _lags(self, running: AsyncExitStack) -> Subscribe:
        """Return what the lagging group follows; who waits for views is not kept."""
        if self.settings.feed_type == "postgres":
            return self.log.subscription
        from infra.kafka.recorded_topic import open_recorded_topic  # noqa: PLC0415

        topic = await open_recorded_topic(
            self.dsn, self.log, self.settings, self.telemetry.missed, running
        )
        self.telemetry.troubles.append(topic.away.detail)
        return topic.subscription


Groups = tuple[FoldedViews, FoldedViews]
"""Prompt and lagging views, whoever folds them."""


async def make_views_current(
    dsn: str, log: PostgresLog, data: Path, settings: Settings
) -> None:
    """Make what is missing, and fold from the beginning what other code folded.

    Raises:
        ViewsDrifted, ViewsNewer, RebuildFailed, RebuildUnderWay
    """
    hands = Hands(data, keys_dsn_of(settings))
    await make_current(dsn, log, (*PROMPT, *LAGGING), hands, settings.views_on_drift)


async def fold_views(
    folding: Folding, running: AsyncExitStack
) -> tuple[Projector, Projector]:
    """Fold both groups here until the stack ends; prompt ones are up to date then."""
    prompt, lagging = await folding.start(running)
    await prompt.passed(await folding.log.store.head())
    return prompt, lagging


async def watch_views(
    dsn: str, watch: Watch, running: AsyncExitStack
) -> tuple[WatchedViews, WatchedViews]:
    """Learn until the stack ends how far another process folds both groups."""
    prompt = WatchedViews([each.name for each in PROMPT])
    lagging = WatchedViews([each.name for each in LAGGING])
    task = await ViewWatch(dsn, {PROMPTLY: prompt, BEHIND: lagging}).start()
    running.push_async_callback(stop, task)
    watch.add(task)
    return prompt, lagging
