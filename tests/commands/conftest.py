"""Commands over a real log."""

from tests.support.application import app
from tests.support.log import log, log_dsn, master_key, migrated
from tests.support.two_processes import both

__all__ = ["app", "both", "log", "log_dsn", "master_key", "migrated"]
