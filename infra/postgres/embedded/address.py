"""Where a running cluster is reached."""

from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """A Unix socket and a database behind it; `host` is the socket's folder."""

    host: str
    port: int
    user: str
    database: str

    def dsn(self) -> str:
        """Give the address as a URI that asyncpg and libpq both understand."""
        place = urlencode({"host": self.host, "port": self.port})
        user, database = quote(self.user, safe=""), quote(self.database, safe="")
        return f"postgresql://{user}@/{database}?{place}"

    def at(self, database: str) -> "ClusterAddress":
        """Name another database of the same cluster."""
        return replace(self, database=database)
