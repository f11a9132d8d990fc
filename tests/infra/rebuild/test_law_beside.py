"""The law that closes the tests on shared servers notices what is wrong."""

import pytest

from infra.postgres.views import connect_views
from tests.infra.test_projector import history
from tests.support import law_beside
from tests.support.law_beside import LawBeside
from tests.support.projecting import append, projecting


async def test_it_notices_what_is_wrong_where_something_happened(
    log, log_dsn, master_key, monkeypatch
):
    monkeypatch.setattr(law_beside, "WITHIN", 0.0)
    async with projecting(log, log_dsn, lawful=False) as (prompt, lagging):
        last = await append(log, history(21))
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
        db = await connect_views(log_dsn)
        law = LawBeside()
        await law.check_at(log_dsn, master_key)
        await db.execute("UPDATE peer SET metadata = '{\"x\": 1}'")
        await law.check_at(log_dsn, master_key)  # nothing happened since
        with pytest.raises(AssertionError, match="peer"):
            await LawBeside().check_at(log_dsn, master_key)
        await db.execute("UPDATE checkpoint SET position = position - 1")
        with pytest.raises(AssertionError):
            await LawBeside().check_at(log_dsn, master_key)
        await db.close()
