"""Keys made and read: only what our secret signed with HS256 opens anything."""

import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.auth.claims import Claims
from infra.auth.errors import SecretUnusable, Unauthorized
from infra.auth.keyring import Keyring

SECRET = "a secret of the tests, long enough for HS256"  # noqa: S105  of the tests
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def keyring():
    return Keyring(SECRET)


def signed(payload, secret=SECRET):
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return jwt.PyJWS().encode(content, secret.encode(), algorithm="HS256")


def refusal_of(keyring, key, now=NOON):
    with pytest.raises(Unauthorized) as refused:
        keyring.read(key, now=now)
    return str(refused.value)


@pytest.mark.parametrize(
    "claims",
    [
        Claims(admin=True),
        Claims(workspace="w"),
        Claims(workspace="w", peer="p"),
        Claims(workspace="w", session="s"),
        Claims(workspace="w", peer="p", session="s"),
        Claims(),
    ],
)
def test_a_key_claims_what_it_was_made_with(keyring, claims):
    assert keyring.read(keyring.make(claims, made_at=NOON), now=NOON) == claims


def test_absent_claims_are_left_out_and_the_time_is_to_the_second(keyring):
    made = NOON.replace(microsecond=5)
    key = keyring.make(Claims(workspace="w"), made_at=made)
    payload = jwt.decode(key, options={"verify_signature": False})
    assert payload == {"t": "2026-11-22T12:00:00Z", "w": "w"}


def test_the_admin_token_of_the_contract_is_an_admins(keyring):
    assert keyring.read(signed({"t": "", "ad": True}), now=NOON).admin


def test_an_expiry_made_here_is_an_iso_text_that_ends(keyring):
    ends = NOON + timedelta(hours=1)
    key = keyring.make(Claims(workspace="w"), made_at=NOON, expires_at=ends)
    assert keyring.read(key, now=ends - timedelta(seconds=1)).workspace == "w"
    assert refusal_of(keyring, key, ends) == "JWT expired"


@pytest.mark.parametrize(
    "exp",
    [
        "2026-11-22T12:00:01Z",
        "2026-11-22T17:00:01+05:00",
        "2026-11-22T12:00:01",
        "2026-11-23",
        NOON.timestamp() + 1,
        int(NOON.timestamp()) + 1,
        10**30,
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_an_expiry_to_come_may_be_a_text_or_a_number(keyring, exp):
    assert keyring.read(signed({"w": "w", "exp": exp}), now=NOON) == Claims(
        workspace="w"
    )


@pytest.mark.parametrize(
    "exp", ["2026-11-22T12:00:00Z", "2026-11-22T14:00:00+05:00", "2026-11-22", 0, -1.5]
)
def test_a_past_expiry_is_said_to_be_one_whoever_holds_the_key(keyring, exp):
    assert refusal_of(keyring, signed({"ad": True, "exp": exp})) == "JWT expired"


@pytest.mark.parametrize(
    "payload",
    [
        {"ad": True, "exp": "soon"},
        {"ad": True, "exp": True},
        {"ad": True, "exp": [1]},
        b'{"ad": true, "exp": 1e999}',
        b'{"ad": true, "exp": NaN}',
        {"ad": "true"},
        {"ad": 1},
        {"w": 5},
        {"w": "w", "p": ["p"]},
        [],
        b"not json",
        b"\xff",
        b"",
        b"[" * 100_000,
    ],
)
def test_a_signed_payload_that_is_no_claim_is_invalid(keyring, payload):
    assert refusal_of(keyring, signed(payload)) == "Invalid JWT"


def test_empty_claims_are_none_and_unknown_ones_nobodys_business(keyring):
    payload = {"w": "w", "p": "", "s": "", "x": 1, "nbf": 9e9, "aud": "x", "t": 7}
    assert keyring.read(signed(payload), now=NOON) == Claims(workspace="w")
    assert keyring.read(signed({"w": ""}), now=NOON) == Claims()


@pytest.mark.parametrize("claims", [{"p": "p"}, {"s": "s"}, {"p": "p", "w": ""}])
def test_a_peer_or_session_without_its_workspace_is_nobody(keyring, claims):
    expected = "Invalid JWT scope: peer/session token missing workspace"
    assert refusal_of(keyring, signed(claims)) == expected
    assert keyring.read(signed(claims | {"ad": True}), now=NOON).admin


@pytest.mark.parametrize(
    "key",
    ["", ".", "..", "a.b.c", "x" * 50_000, "ey.ey.ey", "é.é.é", "\x00"],
)
def test_what_is_no_token_is_invalid(keyring, key):
    assert refusal_of(keyring, key) == "Invalid JWT"


def test_another_secret_opens_nothing(keyring):
    key = signed({"ad": True}, "another secret that is long enough for it")
    assert refusal_of(keyring, key) == "Invalid JWT"


def test_a_changed_payload_opens_nothing(keyring):
    head, _, signature = keyring.make(Claims(workspace="w"), made_at=NOON).split(".")
    _, payload, _ = signed({"ad": True}, "x" * 40).split(".")
    assert refusal_of(keyring, f"{head}.{payload}.{signature}") == "Invalid JWT"


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused_even_under_our_secret(algorithm):
    secret = SECRET * 2
    key = jwt.encode({"ad": True}, secret, algorithm=algorithm)
    assert refusal_of(Keyring(secret), key) == "Invalid JWT"


def test_a_token_that_is_not_signed_is_refused(keyring):
    assert refusal_of(keyring, jwt.encode({"ad": True}, "", "none")) == "Invalid JWT"
    for name in ("None", "NONE", ""):
        head = jwt.utils.base64url_encode(json.dumps({"alg": name}).encode()).decode()
        body = jwt.utils.base64url_encode(b'{"ad":true}').decode()
        assert refusal_of(keyring, f"{head}.{body}.") == "Invalid JWT"


def test_a_token_of_an_rsa_key_is_refused(keyring):
    private = rsa.generate_private_key(65537, 2048)
    key = jwt.encode({"ad": True}, private, algorithm="RS256")
    assert refusal_of(keyring, key) == "Invalid JWT"


def test_a_public_key_is_no_secret():
    public = rsa.generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(SecretUnusable, match="AUTH_JWT_SECRET"):
        Keyring(pem.decode())


@pytest.mark.parametrize("secret", ["", "  "])
def test_without_a_secret_there_are_no_keys(secret):
    with pytest.raises(SecretUnusable, match="AUTH_JWT_SECRET must be set"):
        Keyring(secret)


def test_a_short_secret_signs_all_the_same():
    short = Keyring("short")
    key = short.make(Claims(workspace="w"), made_at=NOON)
    assert short.read(key, now=NOON).workspace == "w"
    assert short.is_short
    assert not Keyring(SECRET).is_short
