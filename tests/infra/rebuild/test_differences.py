"""What is told to differ does: views that are only behind do not."""

from domain.card import CardReplacedByOwner
from infra.postgres.views import connect_views, make_views
from infra.rebuild.rebuild import rebuild
from projections.registry import LAGGING, PROMPT
from tests.support.log import said
from tests.support.projecting import append, projector

ALL = (*PROMPT, *LAGGING)


async def test_views_that_lag_do_not_differ(log, log_dsn):
    await make_views(log_dsn, ALL)
    card = CardReplacedByOwner(
        workspace="team", observer="a", observed="b", entries=("x",)
    )
    last = await append(log, [card, said("tea")])
    prompt = projector(log, log_dsn)
    await prompt.start()
    assert await prompt.wait_for(last, 60)
    await prompt.close()
    db = await connect_views(log_dsn)
    await db.execute("UPDATE card SET lines = '[]'")
    await db.close()
    report = await rebuild(log_dsn, log, ALL)
    assert [each.table for each in report.differences] == ["card"]
