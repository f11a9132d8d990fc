"""Peers and their cards over HTTP (HC E09, E10, E15; X41-X44, X50-X53)."""

from domain.names import encode_id


async def test_a_peer_makes_its_workspace(app):
    answer = await app.post("/acme/peers", {"id": "ann"})
    assert answer.status_code == 201
    assert answer.json() == {
        "id": "ann",
        "workspace_id": "acme",
        "created_at": "2026-11-22T12:00:00Z",
        "metadata": {},
        "configuration": {},
        "uid": encode_id(1),
    }
    assert await app.recorded() == ["workspace-created", "peer-created"]


async def test_x41_what_is_sent_for_an_existing_peer_replaces(app):
    await app.post("/acme/peers", {"id": "ann", "metadata": {"a": 1}})
    answer = await app.post("/acme/peers", {"id": "ann", "metadata": {"b": 2}})
    assert (answer.status_code, answer.json()["metadata"]) == (200, {"b": 2})


async def test_x42_metadata_and_configuration_are_independent(app):
    await app.post("/acme/peers", {"id": "ann", "configuration": {"observe_me": False}})
    answer = await app.put("/acme/peers/ann", {"metadata": {"a": 1}})
    assert answer.json()["configuration"] == {"observe_me": False}
    answer = await app.put("/acme/peers/ann", {"configuration": {}})
    assert answer.json()["metadata"] == {"a": 1}
    assert answer.json()["configuration"] == {}


async def test_x43_null_is_a_no_op(app):
    await app.post("/acme/peers", {"id": "ann", "metadata": {"a": 1}})
    for body in ({"metadata": None}, {"configuration": None}, {}):
        answer = await app.put("/acme/peers/ann", body)
        assert (answer.status_code, answer.json()["metadata"]) == (200, {"a": 1})
    assert await app.recorded(after=2) == []


async def test_x4_unknown_keys_are_ignored(app):
    answer = await app.put("/acme/peers/ann", {"name": "bob", "metadata": {"a": 1}})
    assert (answer.json()["id"], answer.json()["metadata"]) == ("ann", {"a": 1})


async def test_x50_a_card_is_answered_and_an_empty_one_is_no_null(app):
    sent = {"peer_card": ["likes\x00 tea", "tall"]}
    answer = await app.put("/acme/peers/ann/card", sent)
    assert (answer.status_code, answer.json()) == (
        200,
        {"peer_card": ["likes tea", "tall"]},
    )
    answer = await app.put("/acme/peers/ann/card", {"peer_card": []})
    assert answer.json() == {"peer_card": []}
    assert await app.recorded() == [
        "workspace-created",
        "peer-created",
        "card-replaced-by-owner",
        "card-replaced-by-owner",
    ]


async def test_x52_x53_cards_of_others_are_their_own_and_any_target_is_legal(app):
    for target in ("bob", "", "no.name+at all", "ann"):
        path = f"/acme/peers/ann/card?target={target.replace('+', '%2B')}"
        answer = await app.put(path, {"peer_card": [f"of {target}"]})
        assert answer.status_code == 200
    page = await app.store.read_log(after=2, limit=10)
    assert [each.event.observed for each in page] == [
        "bob",
        "",
        "no.name+at all",
        "ann",
    ]
