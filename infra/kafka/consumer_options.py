"""What every consumer of ours is made with."""

from collections.abc import Mapping
from typing import Any, Final

CONSUMES: Final[Mapping[str, Any]] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "none",
    "isolation_level": "read_committed",
    "allow_auto_create_topics": False,
    "max_partition_fetch_bytes": 4 * 2**20,
    "fetch_max_bytes": 16 * 2**20,
    "bootstrap_timeout_ms": 5_000,
    # An answer under way makes the client forget what it was to ask next. Who shares
    # out partitions and does not know a topic gives those of it to nobody until then.
    "metadata_max_age_ms": 5_000,
    "reconnect_backoff_max_ms": 1_000,
    "metrics_enabled": False,
}
