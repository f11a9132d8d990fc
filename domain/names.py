"""Stream names, ordering keys and shards: the tiny language of the log.

A stream is ``category-<workspace>[+<id>...]``. The ordering key says which events
must keep their order among each other: ``<workspace>/<session>`` for all that
happens in, or is derived from, one session; otherwise the pair, the peer or the
workspace. All of it is stored for ever, so nothing here may change
(architecture section 2; golden vectors in the tests).
"""

import re
from hashlib import blake2b, sha256
from uuid import UUID, uuid5

import msgspec

from domain.errors import Invalid

SHARDS = 1024
"""How many shards an ordering key may fall in; stored with every event."""

MAX_NAME = 512
"""Longest workspace, peer or session id in characters (HC 1.2)."""

NAME_PATTERN = r"^[a-zA-Z0-9_-]+$"

SCOPE_PREFIX = "scope."
"""What the name of a scope's hidden peer begins with; no other peer's may."""

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_ID_LENGTH = 21
_LONGEST = 2_500  # bytes of a pair's names; an entry of an index has 2,704
_TENANTS = UUID("7c0b3b5e-5f0e-5d6b-9c39-0a1d6f5a2e4b")


class Stream(msgspec.Struct, frozen=True):
    """One aggregate's sequence: its name, its tenant and its ordering key."""

    name: str
    tenant: str
    ordering_key: str

    @property
    def shard(self) -> int:
        """The shard (0..1023) this stream's events are stored under."""
        return shard_of(self.ordering_key)


def shard_of(ordering_key: str) -> int:
    """Return the stored shard of an ordering key, by a hash we own."""
    digest = blake2b(ordering_key.encode(), digest_size=2).digest()
    return int.from_bytes(digest, "big") & (SHARDS - 1)


def workspace_stream(workspace: str) -> Stream:
    return Stream(f"workspace-{workspace}", workspace, workspace)


def peer_stream(workspace: str, peer: str) -> Stream:
    return Stream(f"peer-{workspace}+{peer}", workspace, f"{workspace}/peer/{peer}")


def session_stream(workspace: str, session: str) -> Stream:
    return Stream(f"session-{workspace}+{session}", workspace, f"{workspace}/{session}")


def derivation_stream(workspace: str, session: str) -> Stream:
    return Stream(
        f"derivation-{workspace}+{session}", workspace, f"{workspace}/{session}"
    )


def conclusion_stream(workspace: str, session: str) -> Stream:
    """Conclusions that are pure of one session (RS 2.4)."""
    return Stream(
        f"conclusion-{workspace}+{session}", workspace, f"{workspace}/{session}"
    )


def pair_conclusion_stream(workspace: str, observer: str, observed: str) -> Stream:
    """Conclusions that belong to a pair and to no one session."""
    return Stream(
        f"conclusion-{workspace}+{observer}+{observed}",
        workspace,
        f"{workspace}/{observer}/{observed}",
    )


def summary_stream(workspace: str, session: str, kind: str) -> Stream:
    return Stream(
        f"summary-{workspace}+{session}+{kind}", workspace, f"{workspace}/{session}"
    )


def card_stream(workspace: str, observer: str, observed: str) -> Stream:
    return Stream(
        f"card-{workspace}+{observer}+{observed}",
        workspace,
        f"{workspace}/{observer}/{observed}",
    )


def question_stream(workspace: str, peer: str) -> Stream:
    return Stream(f"question-{workspace}+{peer}", workspace, f"{workspace}/peer/{peer}")


def retraction_stream(workspace: str, unit: str) -> Stream:
    """What was taken back in one act, wherever it belongs."""
    return Stream(f"retraction-{workspace}+{unit}", workspace, workspace)


def webhook_stream(workspace: str) -> Stream:
    return Stream(f"webhook-{workspace}", workspace, workspace)


def delivery_stream(workspace: str, endpoint: str) -> Stream:
    """What is delivered to one webhook endpoint: apart from all others' order."""
    return Stream(
        f"delivery-{workspace}+webhook+{endpoint}",
        workspace,
        f"{workspace}/webhook/{endpoint}",
    )


def call_stream(workspace: str) -> Stream:
    """What calls of models took; nobody decides upon it, so nobody meets there."""
    return Stream(f"call-{workspace}", workspace, workspace)


def embedding_stream(workspace: str, ordering_key: str) -> Stream:
    """Records which texts of one ordering key have vectors."""
    name = ordering_key.replace("/", "+")
    return Stream(f"embedding-{name}", workspace, ordering_key)


def dream_stream(workspace: str, observer: str, observed: str) -> Stream:
    """Dreams of what one peer holds of another."""
    return Stream(
        f"dream-{workspace}+{observer}+{observed}",
        workspace,
        f"{workspace}/{observer}/{observed}",
    )


def ordering_key_of(stream: str) -> str:
    """Return the ordering key that a stream's name implies."""
    category, _, rest = stream.partition("-")
    ids = rest.split("+")
    match category:
        case "workspace" | "webhook" | "retraction" | "call":
            return ids[0]
        case "peer" | "question":
            return f"{ids[0]}/peer/{ids[1]}"
        case "session" | "derivation" | "summary":
            return f"{ids[0]}/{ids[1]}"
        case _:
            return "/".join(ids)


def command_id(tenant: str, text: str) -> UUID:
    """Return the id of a command within its tenant (architecture section 2).

    A processor's text is ``<processor>:<generation>:<first>-<last position>``.
    """
    return uuid5(uuid5(_TENANTS, tenant), text)


def public_id(command_id: bytes, ordinal: int) -> str:
    """Return the 21-character id a processor gives its ``ordinal``-th output.

    The first 126 bits of SHA-256 over the command id and the ordinal, so the same
    command always yields the same ids (architecture section 2).
    """
    digest = sha256(command_id + ordinal.to_bytes(8, "big")).digest()
    number = int.from_bytes(digest, "big") >> (256 - 6 * _ID_LENGTH)
    return encode_id(number)


def encode_id(number: int) -> str:
    """Spell a 126-bit number as 21 characters over ``A-Za-z0-9_-``."""
    letters = [_ALPHABET[(number >> (6 * i)) & 63] for i in range(_ID_LENGTH)]
    return "".join(reversed(letters))


def check_peer_name(peer: str) -> None:
    """Refuse a peer name that may not be inserted (HC 1.2; texts of HC 1.12)."""
    if "\x00" in peer:
        raise Invalid("Peer name(s) must not contain NUL (0x00) bytes")
    if len(peer) > MAX_NAME:
        raise Invalid(f"Peer name(s) {[peer]} must be at most {MAX_NAME} characters")
    if is_reserved(peer):
        raise Invalid(
            f"Peer name(s) {[peer]} use the reserved scope prefix '{SCOPE_PREFIX}'."
            " Use the scopes routes to make a scope."
        )
    if _NAME.fullmatch(peer) is None:
        raise Invalid(f"Peer name(s) {[peer]} must match pattern {NAME_PATTERN}")


def check_pair(workspace: str, *peers: str) -> None:
    """Refuse names of peers who need not exist (HC E07, E15), if nothing holds them.

    Raises:
        Invalid: one cannot be stored, or together they are longer than an index takes.
    """
    for peer in peers:
        if "\x00" in peer:
            raise Invalid("Peer name(s) must not contain NUL (0x00) bytes")
        if len(peer) > MAX_NAME:
            raise Invalid(
                f"Peer name(s) {[peer]} must be at most {MAX_NAME} characters"
            )
    if sum(len(each.encode()) for each in (workspace, *peers)) > _LONGEST:
        raise Invalid(
            "The names of workspace and peers together must be at most"
            f" {_LONGEST} bytes"
        )


def is_reserved(peer: str) -> bool:
    """Tell whether a peer's name lies in the scopes' namespace (HC 2.6)."""
    return peer.startswith(SCOPE_PREFIX)


def is_name(name: str) -> bool:
    """Tell whether a workspace or session id obeys HC 1.2."""
    return len(name) <= MAX_NAME and _NAME.fullmatch(name) is not None
