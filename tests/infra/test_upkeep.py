"""Views that grow are looked after beside the folding."""

from infra.postgres.views import connect_views, make_views
from infra.upkeep import TIDIED, Upkeep
from projections.messages import Messages
from tests.support.folding import fold
from tests.support.history import record
from tests.support.log import said


async def test_statistics_and_words_indexes_keep_up_with_what_is_folded(database):
    views = [Messages()]
    await make_views(database.dsn(), views)
    db = await connect_views(database.dsn())
    messages = [said(f"word{n} and word{n + 1}", seq=n) for n in range(1, TIDIED + 1)]
    await fold(db, views, record(messages))

    upkeep = Upkeep(database.dsn())
    upkeep.add(TIDIED - 1)
    await upkeep.done()
    known = "SELECT reltuples FROM pg_class WHERE oid = 'message'::regclass"
    assert await db.fetchval(known) == TIDIED
    assert (await db.fetchval("SELECT gin_clean_pending_list('message_words')")) > 0

    await fold(db, views, record([said("more", seq=9_999)], after=9_999))
    upkeep.add(1)
    await upkeep.done()
    assert (await db.fetchval("SELECT gin_clean_pending_list('message_words')")) == 0
    await upkeep.close()
    await db.close()


async def test_upkeep_that_fails_is_left_off_quietly(database, caplog):
    upkeep = Upkeep(database.at("nowhere").dsn())
    upkeep.add(10 * TIDIED)
    await upkeep.done()
    await upkeep.close()
    assert "Traceback" not in caplog.text
