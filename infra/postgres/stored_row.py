"""A row of the log as it is stored, wherever it was read: sealed, not decoded."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

COLUMNS = "position, recorded_at, id, version, shard, stream, tenant, type, meta, data"


class StoredRow(NamedTuple):
    """The columns of ``log.event`` but for the link, in the order of ``COLUMNS``."""

    position: int
    recorded_at: datetime
    id: UUID
    version: int
    shard: int
    stream: str
    tenant: str
    type: str
    meta: bytes
    data: bytes
