"""Lists are pages with exact totals, in the contract's order, from either end."""

import pytest

from domain.session import PeerLeft
from tests.read_api.conftest import ids
from tests.support.story import (
    at,
    concluded,
    joined,
    peer,
    rests_on,
    said,
    session,
    workspace,
)

EVERYTHING = [..., None, {}, {"filters": None}, {"filters": {}}]


async def test_objects_have_every_key_of_the_contract_and_their_uid(ask):
    message = said(1, "hello you", metadata={"a": {"b": [1, 2.5]}})
    await ask.happened(
        workspace(metadata={"m": 1}, configuration={"c": {}}),
        peer("alice", configuration={"observe_me": False}),
        session("s", created_at=at(1.5)),
        joined("s", "alice"),
        message,
        concluded("c", "Alice says hello", evidence=rests_on(message)),
    )
    assert (await ask.post("/list")).json() == {
        "items": [
            {
                "id": "w",
                "metadata": {"m": 1},
                "configuration": {"c": {}},
                "created_at": "2026-01-01T12:00:00Z",
                "uid": "uid-w",
            }
        ],
        "total": 1,
        "page": 1,
        "size": 50,
        "pages": 1,
    }
    [alice] = (await ask.post("/w/peers/list")).json()["items"]
    assert alice == {
        "id": "alice",
        "workspace_id": "w",
        "created_at": "2026-01-01T12:00:00Z",
        "metadata": {},
        "configuration": {"observe_me": False},
        "uid": "uid-alice",
    }
    assert (await ask.get("/w/sessions/s/peers")).json()["items"] == [alice]
    [held] = (await ask.post("/w/sessions/list")).json()["items"]
    assert held == {
        "id": "s",
        "is_active": True,
        "workspace_id": "w",
        "metadata": {},
        "configuration": {},
        "created_at": "2026-01-01T12:01:30Z",
        "uid": "uid-s",
    }
    assert (await ask.post("/w/peers/alice/sessions")).json()["items"] == [held]
    [heard] = (await ask.post("/w/sessions/s/messages/list")).json()["items"]
    assert heard == {
        "id": "s-1",
        "content": "hello you",
        "peer_id": "alice",
        "session_id": "s",
        "metadata": {"a": {"b": [1, 2.5]}},
        "created_at": "2026-01-01T12:00:00Z",
        "workspace_id": "w",
        "token_count": 2,
    }
    assert (await ask.get("/w/sessions/s/messages/s-1")).json() == heard
    [known] = (await ask.post("/w/conclusions/list")).json()["items"]
    assert known == {
        "id": "c",
        "content": "Alice says hello",
        "observer_id": "alice",
        "observed_id": "alice",
        "session_id": "s",
        "level": "explicit",
        "created_at": "2026-01-01T00:00:06Z",
        "source_ids": [],
        "times_derived": 1,
    }


async def test_ties_are_broken_by_the_opaque_id_and_reversed_with_it(ask):
    await ask.happened(
        workspace(),
        peer("late", created_at=at(1), uid="a"),
        peer("x", uid="c"),
        peer("y", uid="B"),
        peer("z", uid="a"),
    )
    assert ids(await ask.post("/w/peers/list")) == ["y", "z", "x", "late"]
    found = await ask.post("/w/peers/list", reverse="true")
    assert ids(found) == ["late", "x", "z", "y"]


async def test_messages_are_listed_by_number_and_not_by_time(ask):
    await ask.happened(*(said(n, "hi", created_at=at(-n)) for n in range(1, 6)))
    path = "/w/sessions/s/messages/list"
    assert ids(await ask.post(path, size=2)) == ["s-1", "s-2"]
    assert ids(await ask.post(path, size=2, page=3)) == ["s-5"]
    found = await ask.post(path, size=2, page=2, reverse="true")
    assert ids(found) == ["s-3", "s-2"]
    assert found.json()["total"] == 5
    assert found.json()["pages"] == 3


async def test_a_page_past_the_end_is_empty_with_the_real_totals(ask):
    await ask.happened(*(said(n, "hi") for n in range(1, 5)))
    for page in (3, 10**30):
        found = await ask.post("/w/sessions/s/messages/list", size=2, page=page)
        assert found.json() == {
            "items": [],
            "total": 4,
            "page": page,
            "size": 2,
            "pages": 2,
        }
    found = await ask.post("/w/sessions/s/messages/list", size=2, page=2)
    assert (found.json()["total"], found.json()["pages"]) == (4, 2)


async def test_conclusions_are_listed_newest_first(ask):
    await ask.happened(*(concluded(f"c{n}", f"fact {n}") for n in range(3)))
    assert ids(await ask.post("/w/conclusions/list")) == ["c2", "c1", "c0"]
    found = await ask.post("/w/conclusions/list", reverse="yes", size=2)
    assert ids(found) == ["c0", "c1"]


async def test_what_is_no_filter_is_everything(ask):
    await ask.happened(workspace(), peer("a"), session("s"), said(1, "hi"))
    for path in (
        "/list",
        "/w/peers/list",
        "/w/sessions/list",
        "/w/sessions/s/messages/list",
    ):
        for body in EVERYTHING:
            assert len(ids(await ask.post(path, body))) == 1


NOWHERE = [
    "/nowhere/peers/list",
    "/nowhere/sessions/list",
    "/w/peers/nobody/sessions",
    "/w/sessions/none/messages/list",
    "/w%00/sessions/s%00/messages/list",
    "/nowhere/conclusions/list",
]


async def test_an_unknown_resource_is_an_empty_page(ask):
    await ask.happened(workspace(), session("s"), said(1, "hi"))
    empty = {"items": [], "total": 0, "page": 1, "size": 50, "pages": 0}
    for path in NOWHERE:
        assert (await ask.post(path)).json() == empty


async def test_only_active_members_are_peers_of_a_session(ask):
    left = PeerLeft(workspace="w", session="s", peer="bob", left_at=at(9))
    await ask.happened(
        *(peer(name) for name in ("alice", "bob", "carol")),
        session("s"),
        joined("s", "alice"),
        joined("s", "bob"),
        joined("s", "carol", joined_at=at(-1)),
        left,
    )
    assert ids(await ask.get("/w/sessions/s/peers")) == ["carol", "alice"]
    assert ids(await ask.get("/w/sessions/s/peers", size=1, page=2)) == ["alice"]
    assert ids(await ask.get("/w/sessions/none/peers")) == []
    assert ids(await ask.post("/w/peers/bob/sessions")) == ["s"]


async def test_the_kind_of_peers_may_be_chosen(ask):
    await ask.happened(workspace(), peer("a"))
    assert ids(await ask.post("/w/peers/list", {"kind": "all"})) == ["a"]
    assert ids(await ask.post("/w/peers/list", {"kind": "scope"})) == []
    refused = await ask.post("/w/peers/list", {"kind": "other"})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["type"] == "literal_error"


async def test_a_missing_message_is_404_in_the_words_of_the_contract(ask):
    await ask.happened(said(1, "hi"))
    for path in ("/w/sessions/s/messages/x", "/w/sessions/other/messages/s-1"):
        found = await ask.get(path)
        name = path.rsplit("/", 1)[1]
        assert found.status_code == 404
        assert found.json() == {"detail": f"Message with ID {name} not found"}


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({"page": "0"}, {"page": "greater_than_equal"}),
        ({"size": "101"}, {"size": "less_than_equal"}),
        ({"size": "0"}, {"size": "greater_than_equal"}),
        (
            {"page": "x", "reverse": ""},
            {"page": "int_parsing", "reverse": "bool_parsing"},
        ),
    ],
)
async def test_a_page_out_of_range_is_refused_and_not_clamped(ask, query, kinds):
    found = await ask.post("/w/peers/list", **query)
    assert found.status_code == 422
    items = found.json()["detail"]
    assert {i["loc"][1]: i["type"] for i in items} == kinds


async def test_what_is_wrong_with_query_and_body_is_one_list(ask):
    found = await ask.post("/w/peers/list", {"filters": "text"}, size="0")
    assert found.status_code == 422
    where = [(i["loc"], i["type"]) for i in found.json()["detail"]]
    assert where == [
        (["query", "size"], "greater_than_equal"),
        (["body", "filters"], "dict_type"),
    ]
    for body in ([1], 5, "x"):
        assert (await ask.post("/w/peers/list", body)).status_code == 422
