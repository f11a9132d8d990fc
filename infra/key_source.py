"""Where the master key comes from."""

from pathlib import Path

from infra.master_key import MasterKey, kept_master_key, read_master_key
from infra.settings import Settings


def master_key_of(data: Path, settings: Settings) -> MasterKey:
    """Return the key of the settings, else the one kept in the data folder.

    Raises:
        MasterKeyUnusable: it is not a key.
    """
    if settings.keys_master_key is not None:
        return read_master_key(settings.keys_master_key.get_secret_value())
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return kept_master_key(data)
