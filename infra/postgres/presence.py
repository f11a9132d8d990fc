"""Which processes of Palimpsest run on a database now.

Each is known by its announcer's connection: that goes with it, however it ends, so
there is no table that could be wrong.
"""

from typing import Any, Final, Protocol

import msgspec

from infra.postgres.announcer import PRESENT

_PRESENT: Final = """
SELECT substr(application_name, length($1) + 1) AS role,
    extract(epoch FROM clock_timestamp() - backend_start)::float8 AS seconds
FROM pg_stat_activity
WHERE datname = current_database() AND starts_with(application_name, $1)
ORDER BY role, backend_start
"""


class Present(msgspec.Struct, frozen=True):
    """A process that runs: its role, and since how many seconds it is connected."""

    role: str
    seconds: float


class Asked(Protocol):
    """A connection or a pool."""

    async def fetch(self, query: str, /, *args: object) -> list[Any]: ...


async def who_is_present(database: Asked) -> list[Present]:
    """Return who runs, by role; whose connection was cut is back in a second."""
    rows = await database.fetch(_PRESENT, PRESENT)
    return [Present(row["role"], round(row["seconds"] or 0.0, 3)) for row in rows]
