"""Every question that can be asked of the past, as a chronicle makes it interesting."""

from collections.abc import Iterable, Iterator
from typing import Any

from tests.support.chronicle import PEERS, SCOPES, SESSIONS

Read = tuple[str, dict[str, Any] | None, dict[str, Any]]
"""A path below the workspaces, its body if it is posted, and its query."""

QUERIES = ("I like tea", "who is running", "")
"""What is searched for; the first two have vectors."""

_ODD = {"metadata": {"n": {"gte": 3}}}


def reads(
    messages: Iterable[str],
    conclusions: Iterable[str],
    units: Iterable[str] = (),
    answers: Iterable[str] = (),
) -> Iterator[Read]:
    """Ask everything, and for these by their ids."""
    yield "/list", {"filters": _ODD}, {}
    yield "/w/webhooks", None, {}
    yield "/w/retractions", None, {}
    yield "/w/derivations", None, {}
    yield "/w/derivations", None, {"session_id": "s", "size": 1}
    for group in ("feature", "peer", "model", "day"):
        yield "/w/usage", None, {"group_by": group, "size": 2}
    yield from _of_peers()
    yield from _of_scopes()
    for session in SESSIONS:
        yield from _of_session(session)
    for peer in PEERS:
        yield from _of_peer(peer)
    yield from _searches()
    yield from _of_conclusions()
    for each in messages:
        yield f"/w/sessions/{each[0]}/messages/{each}", None, {}
        yield f"/w/sessions/{each[0]}/messages/{each}/consequences", None, {}
    for each in conclusions:
        yield f"/w/conclusions/{each}", None, {}
        yield f"/w/conclusions/{each}/lineage", None, {}
    for each in units:
        yield f"/w/retractions/{each}", None, {}
    for each in answers:
        yield f"/w/answers/{each}/lineage", None, {}


def _of_peers() -> Iterator[Read]:
    for kind in ("all", "scope", None):
        yield "/w/peers/list", {"kind": kind}, {"size": 2}
    yield "/w/peers/list", {"filters": {"id": "alice"}}, {}
    yield "/w/sessions/list", {"filters": {"OR": [_ODD, {"id": "s"}]}}, {}
    yield "/w/sessions/list", {}, {"reverse": "true", "size": 1}


def _of_scopes() -> Iterator[Read]:
    yield "/w/scopes/list", {}, {}
    for scope in SCOPES:
        yield f"/w/scopes/{scope}", None, {}
        yield f"/w/scopes/{scope}/status", None, {}
        yield f"/w/scopes/{scope}/sessions/list", {}, {}
        yield f"/w/peers/scope.{scope}/sessions", {}, {}
        yield "/w/search", {"query": QUERIES[0], "scope": scope}, {}
        yield "/w/peers/alice/representation", {"scope": scope}, {}
    yield "/w/peers/alice/representation", {"scope": list(SCOPES)}, {}


def _of_session(session: str) -> Iterator[Read]:
    at = f"/w/sessions/{session}"
    yield f"{at}/peers", None, {}
    yield f"{at}/summaries", None, {}
    yield f"{at}/peers/alice/config", None, {}
    yield f"{at}/messages/list", {}, {"size": 2, "page": 2}
    yield f"{at}/messages/list", {}, {"size": 3, "reverse": "true"}
    yield f"{at}/messages/list", {"filters": _ODD}, {"size": 2}
    yield f"{at}/context", None, {"tokens": 30}
    yield f"{at}/context", None, {"summary": "false"}
    yield (
        f"{at}/context",
        None,
        {
            "tokens": 60,
            "peer_target": "alice",
            "peer_perspective": "carol",
            "search_query": QUERIES[0],
        },
    )
    yield f"{at}/context", None, {"peer_target": "bob", "limit_to_session": "true"}
    yield f"{at}/context", None, {"peer_target": "bob", "scope": "x"}
    for query in QUERIES:
        yield f"{at}/search", {"query": query, "limit": 3}, {}


def _of_peer(peer: str) -> Iterator[Read]:
    at = f"/w/peers/{peer}"
    yield f"{at}/card", None, {"target": "bob"}
    yield f"{at}/card/lines", None, {"target": "bob"}
    yield f"{at}/sessions", {}, {}
    yield f"{at}/context", None, {"target": "alice", "max_conclusions": 4}
    yield f"{at}/search", {"query": QUERIES[1]}, {}
    yield f"{at}/representation", {}, {}
    for query in QUERIES[:2]:
        yield (
            f"{at}/representation",
            {
                "target": "alice",
                "search_query": query,
                "max_conclusions": 3,
                "include_most_frequent": True,
            },
            {},
        )
    yield f"{at}/representation", {"filters": {"session_id": ["s"]}}, {}
    yield f"{at}/representation", {"search_query": "tea", "search_max_distance": 1}, {}


def _searches() -> Iterator[Read]:
    for query in QUERIES:
        yield "/w/search", {"query": query, "limit": 4}, {}
    yield "/w/search", {"query": QUERIES[0], "filters": _ODD}, {}
    for peer in PEERS:
        filters = {"peer_perspective": peer}
        yield "/w/search", {"query": QUERIES[1], "filters": filters}, {}


def _of_conclusions() -> Iterator[Read]:
    yield "/w/conclusions/list", {}, {"size": 3}
    yield "/w/conclusions/list", {}, {"size": 2, "page": 2, "reverse": "true"}
    often = {"times_derived": {"gte": 2}}
    yield "/w/conclusions/list", {"filters": {"OR": [often, {"id": "c9"}]}}, {}
    for observer in ("alice", "carol", "scope.x"):
        pair = {"observer": observer, "observed": "alice"}
        for query in QUERIES[:2]:
            body = {"query": query, "filters": pair, "top_k": 3}
            yield "/w/conclusions/query", body, {}
