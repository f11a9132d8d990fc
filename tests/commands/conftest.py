"""Commands over a real log."""

from tests.support.application import app
from tests.support.log import log, log_dsn, master_key, migrated

__all__ = ["app", "log", "log_dsn", "master_key", "migrated"]
