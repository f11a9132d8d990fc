"""An embedded Postgres: one data folder, one server, no account and no TCP port.

The law: nothing outside the data folder and one short-lived socket folder is
touched, nothing is stopped that was not proven to be ours, and whatever a
`kill -9` left behind is taken over by the next start. This package knows how to
run a server; it must not know what is stored in it.
"""

from infra.postgres.embedded.address import ClusterAddress
from infra.postgres.embedded.cluster import EmbeddedPostgres
from infra.postgres.embedded.errors import (
    DataFolderInUse,
    DataFolderNewer,
    DataFolderUnwritable,
    EmbeddedPostgresError,
    PostgresEnded,
    PostgresRefused,
)
from infra.postgres.embedded.record import running_cluster
from infra.postgres.embedded.watch import while_alive

__all__ = [
    "ClusterAddress",
    "DataFolderInUse",
    "DataFolderNewer",
    "DataFolderUnwritable",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "PostgresEnded",
    "PostgresRefused",
    "running_cluster",
    "while_alive",
]
