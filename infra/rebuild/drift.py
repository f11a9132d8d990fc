"""What a start does with views that other code folded."""

import logging
from collections.abc import Sequence
from typing import Literal

from infra.postgres.log import PostgresLog
from infra.postgres.views import make_views
from infra.rebuild.crew import Hands
from infra.rebuild.rebuild import rebuild
from infra.rebuild.report import ViewsDrifted
from projections.projection import Projection

_LOG = logging.getLogger("palimpsest.views")

Policy = Literal["rebuild", "refuse"]


async def make_current(
    dsn: str,
    log: PostgresLog,
    projections: Sequence[Projection],
    hands: Hands,
    policy: Policy,
) -> None:
    """Make what is missing of the views, and fold anew what other code folded.

    Raises:
        ViewsDrifted: some were, and the policy is to leave them to whoever starts us.
        ViewsNewer, RebuildFailed, RebuildUnderWay
    """
    drifted = await make_views(dsn, projections)
    if not drifted:
        return
    if policy == "refuse":
        raise ViewsDrifted(
            f"{', '.join(drifted)}: folded by other code than this one's; fold anew by "
            f"`palimpsest rebuild {' '.join(drifted)}`, or set VIEWS_ON_DRIFT=rebuild"
        )
    _LOG.warning("Folding anew what other code had folded: %s", ", ".join(drifted))
    report = await rebuild(dsn, log, projections, drifted, hands=hands)
    _LOG.warning(
        "Folded %d views anew from %d events in %.1f s",
        len(report.projections),
        report.events,
        report.seconds,
    )
