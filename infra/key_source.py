"""Where the master key and the signing key come from."""

from pathlib import Path
from typing import Final

from infra.master_key import FILE as MASTER_FILE
from infra.master_key import (
    MasterKey,
    MasterKeyMissing,
    kept_master_key,
    read_master_key,
)
from infra.proof.signing_key import (
    FILE,
    SigningKey,
    kept_signing_key,
    read_signing_key,
)
from infra.settings import Settings

_SIGNS: Final = b"palimpsest signing key 1"
"""What the signing key is derived for: never changed, or the key changes."""


def master_key_of(data: Path, settings: Settings) -> MasterKey:
    """Return the key of the settings, else the one kept in the data folder.

    Raises:
        MasterKeyUnusable: it is not a key.
    """
    if settings.keys_master_key is not None:
        return read_master_key(settings.keys_master_key.get_secret_value())
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return kept_master_key(data)


def present_master_key(data: Path, settings: Settings) -> MasterKey:
    """Return the same key, making none: every process of a deployment has the one.

    Raises:
        MasterKeyMissing: it is neither in the settings nor in the data folder.
        MasterKeyUnusable: it is not a key.
    """
    if settings.keys_master_key is None and not (data / MASTER_FILE).exists():
        raise MasterKeyMissing(
            f"no master key in {data}: set KEYS_MASTER_KEY, or share the data folder of"
            " the process that migrates"
        )
    return master_key_of(data, settings)


def keys_dsn_of(settings: Settings) -> str | None:
    """Return the address of the keys' own database, None where they have none."""
    uri = settings.keys_connection_uri
    return None if uri is None else uri.get_secret_value()


def signing_key_of(data: Path, settings: Settings) -> SigningKey:
    """Return the key of the settings, else the one kept in the data folder.

    Where the master key is given by settings there may be no data folder: then it is
    derived from that, the same on every server.

    Raises:
        SigningKeyUnusable, MasterKeyUnusable: it is not a key.
    """
    given = _given(settings)
    if given is not None:
        return given
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return kept_signing_key(data)


def present_signing_key(data: Path, settings: Settings) -> SigningKey | None:
    """Return the key that signs here, None if nothing was ever signed from here.

    Raises:
        SigningKeyUnusable, MasterKeyUnusable: it is not a key.
    """
    given = _given(settings)
    if given is not None or not (data / FILE).exists():
        return given
    return kept_signing_key(data)


def _given(settings: Settings) -> SigningKey | None:
    if settings.keys_signing_key is not None:
        return read_signing_key(settings.keys_signing_key.get_secret_value())
    if settings.keys_master_key is not None:
        master = read_master_key(settings.keys_master_key.get_secret_value())
        return SigningKey(master.derive(_SIGNS))
    return None
