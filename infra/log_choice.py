"""What settings say of the log a process opens."""

from infra.key_source import keys_dsn_of
from infra.postgres.log import LogSettings
from infra.settings import Settings


def log_settings(
    settings: Settings, *, announces: bool = True, process: str = "up"
) -> LogSettings:
    """Return what the settings say of the log; ``process`` is who opens it."""
    return LogSettings(
        keys_dsn=keys_dsn_of(settings), announces=announces, process=process
    )
