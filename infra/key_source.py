"""Where the master key and the signing key come from."""

from pathlib import Path

from infra.master_key import MasterKey, kept_master_key, read_master_key
from infra.proof.signing_key import (
    FILE,
    SigningKey,
    kept_signing_key,
    read_signing_key,
)
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


def signing_key_of(data: Path, settings: Settings) -> SigningKey:
    """Return the key of the settings, else the one kept in the data folder.

    Raises:
        SigningKeyUnusable: it is not a key.
    """
    if settings.keys_signing_key is not None:
        return read_signing_key(settings.keys_signing_key.get_secret_value())
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return kept_signing_key(data)


def present_signing_key(data: Path, settings: Settings) -> SigningKey | None:
    """Return the key that signs here, None if nothing was ever signed from here.

    Raises:
        SigningKeyUnusable: it is not a key.
    """
    if settings.keys_signing_key is None and not (data / FILE).exists():
        return None
    return signing_key_of(data, settings)
