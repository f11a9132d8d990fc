"""The views of a server: made current at its start, and kept folded while it runs."""

from contextlib import AsyncExitStack
from pathlib import Path

from infra.postgres.log import PostgresLog
from infra.projector import Projector
from infra.rebuild.crew import Hands
from infra.rebuild.drift import make_current
from infra.settings import Settings
from infra.telemetry.telemetry import Telemetry
from infra.traffic import Traffic
from projections.registry import LAGGING, PROMPT


async def fold_views(
    dsn: str,
    log: PostgresLog,
    data: Path,
    settings: Settings,
    traffic: Traffic,
    telemetry: Telemetry,
    running: AsyncExitStack,
) -> tuple[Projector, Projector]:
    """Fold prompt and lagging views, from the beginning where their code changed."""
    keys = settings.keys_connection_uri
    hands = Hands(data, None if keys is None else keys.get_secret_value())
    await make_current(dsn, log, (*PROMPT, *LAGGING), hands, settings.views_on_drift)
    prompt = Projector(dsn, log.store, log.subscription, PROMPT)
    lagging = Projector(
        dsn,
        log.store,
        log.subscription,
        LAGGING,
        follows=prompt,
        give_way=traffic.give_way,
    )
    for name, projector in (("prompt", prompt), ("lagging", lagging)):
        projector.tell(telemetry.folds(name))
        await projector.start()
        running.push_async_callback(projector.close)
    await prompt.passed(await log.store.head())
    return prompt, lagging
