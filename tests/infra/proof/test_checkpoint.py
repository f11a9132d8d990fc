"""What is signed, how it is printed, and that nothing else passes for it."""

import os
import stat
from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import msgspec
import pytest

from infra.proof.checkpoint import (
    CheckpointUnusable,
    Ending,
    printed,
    read_checkpoint,
    sign_ending,
    signed_text,
)
from infra.proof.signing_key import (
    SigningKey,
    SigningKeyUnusable,
    kept_signing_key,
    key_id,
    read_public_key,
    read_signing_key,
)

KEY = SigningKey(bytes(range(32)))
ENDING = Ending(412, UUID("019a0000-0000-7000-8000-000000000001"), b"\xab" * 32)
AT = datetime(2026, 11, 28, 12, 5, 7, 42, tzinfo=UTC)
MADE = sign_ending(ENDING, AT, KEY)
SIGNATURE = (
    "2ea460e08608e68551db99e23c5c090751d596115783df1dd9dcf282ed36e1c0"
    "e03211d6ab0efc2845cdadad3a6f7ad223d5b86593c39799b57529a12e11180d"
)


def test_the_signed_bytes_never_change():
    """They are checked for ever by whoever kept a checkpoint."""
    assert MADE.text.decode() == (
        "palimpsest log checkpoint 1\n"
        "position 412\n"
        "event 019a0000-0000-7000-8000-000000000001\n"
        f"link {'ab' * 32}\n"
        "made-at 2026-11-28T12:05:07.000042Z\n"
        "public-key "
        "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8\n"
    )
    # Ed25519 is deterministic: this is the signature of these bytes under this key.
    assert MADE.signature.hex() == SIGNATURE
    assert key_id(KEY.public_key) == "56475aa75463474c"


def test_the_time_is_signed_in_one_zone():
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    assert signed_text(ENDING, elsewhere, KEY.public_key) == MADE.text


def test_a_printed_checkpoint_is_read_back():
    content = msgspec.json.encode(printed(MADE))
    assert read_checkpoint(content) == MADE
    assert read_checkpoint(content).is_genuine


def changed(**change):
    """A printed checkpoint with other values."""
    made = msgspec.json.decode(msgspec.json.encode(printed(MADE)))
    return msgspec.json.encode(made | change)


@pytest.mark.parametrize(
    "change",
    [
        {"position": 413},
        {"event": "019a0000-0000-7000-8000-000000000002"},
        {"link": "ac" * 32},
        {"made_at": "2026-11-28T12:05:08Z"},
        {"public_key": SigningKey(bytes(32)).public_key.hex()},
        {"signature": "00" * 64},
        {"signature": "00"},
    ],
)
def test_whatever_is_changed_in_one_it_is_not_genuine(change):
    content = msgspec.json.decode(msgspec.json.encode(printed(MADE)))
    assert not read_checkpoint(msgspec.json.encode(content | change)).is_genuine


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"position": 1}',
        b"\xff",
        msgspec.json.encode(printed(MADE)).replace(b'"abab', b'"xxab'),
        msgspec.json.encode(printed(MADE)).replace(b'"abab', b'" bab'),
        msgspec.json.encode(printed(MADE)).replace(b"42Z", b"42"),
        changed(position=2**63),
        changed(position=0),
        changed(made_at="0001-01-01T00:00:00+12:00"),
        changed(made_at="9999-12-31T23:59:59-12:00"),
        changed()[:-1] + b',"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_checkpoint_is_refused(content):
    with pytest.raises(CheckpointUnusable):
        read_checkpoint(content)


def test_a_key_is_made_once_for_its_owner_only(tmp_path):
    made = kept_signing_key(tmp_path)
    assert kept_signing_key(tmp_path).public_key == made.public_key
    file = tmp_path / "signing.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["signing.key"]
    file.write_bytes(b"short")
    with pytest.raises(SigningKeyUnusable, match=r"signing\.key"):
        kept_signing_key(tmp_path)


def test_a_key_may_come_from_settings():
    secret = os.urandom(32)
    given = read_signing_key(b64encode(secret).decode())
    assert given.public_key == SigningKey(secret).public_key
    for wrong in ("", "?", b64encode(secret[1:]).decode()):
        with pytest.raises(SigningKeyUnusable, match="KEYS_SIGNING_KEY"):
            read_signing_key(wrong)


def test_a_public_key_is_hex():
    assert read_public_key(KEY.public_key.hex()) == KEY.public_key
    for wrong in ("", "zz", "00"):
        with pytest.raises(SigningKeyUnusable, match="64 hex digits"):
            read_public_key(wrong)
