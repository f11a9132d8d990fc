"""What the embedded Postgres is told, all of it on its command line.

The command line is chosen over a file because it is the same on every start, is
owned by nobody, and cannot be overridden by `ALTER SYSTEM`: the rules on what may
enter the log hold whatever the cluster's own configuration says.
"""

from typing import Final

SETTINGS: Final[dict[str, str]] = {
    # No TCP: the socket in a 0700 folder is the only door.
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    # Small when idle, one machine: a server, and a few roles beside it (18 each).
    "max_connections": "80",
    "shared_buffers": "128MB",
    "huge_pages": "off",
    "jit": "off",
    # Two cores and a warm cache: three I/O workers cost memory and a queue hop.
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    # Every acknowledged commit is on disk.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # No replica and no streaming backup here, and at this level COPY into a table made
    # in the same transaction (a rebuild's shadow tables) skips the write-ahead log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "autovacuum": "on",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements, parameters and row values are personal: none may reach the log. The
    # level `log` drops ERROR (its text quotes values; the caller has it anyway) and
    # keeps operation, FATAL and PANIC; terse drops DETAIL, CONTEXT and the statement
    # that a crashed backend was running.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_checkpoints": "off",
}
