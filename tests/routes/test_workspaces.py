"""Workspaces over HTTP (HC E01, E03; X5, X16-X18, X28)."""

import asyncio

from domain.names import encode_id
from tests.support.application import positions_of


async def test_x16_creating_twice_is_201_then_200_with_the_same_body(app):
    first = await app.post("", {"id": "acme"})
    second = await app.post("", {"id": "acme"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json() == {
        "id": "acme",
        "metadata": {},
        "configuration": {},
        "created_at": "2026-11-22T12:00:00Z",
        "uid": encode_id(1),
    }
    assert await app.recorded() == ["workspace-created"]


async def test_every_write_says_where_it_is_readable_and_waited_for_it(app):
    first = await app.post("", {"id": "acme"})
    again = await app.post("", {"id": "acme"})
    other = await app.post("", {"id": "other"})
    assert positions_of(iter([first, again, other])) == [1, 1, 2]
    assert app.views.positions == [1, 1, 2]


async def test_x17_what_is_sent_for_an_existing_workspace_is_ignored(app):
    await app.post("", {"id": "acme", "metadata": {"a": 1}})
    again = await app.post("", {"id": "acme", "metadata": {"ignored": 1}})
    assert again.json()["metadata"] == {"a": 1}


async def test_two_at_once_are_one_201_and_one_200(app):
    both = await asyncio.gather(*(app.post("", {"id": "acme"}) for _ in range(8)))
    assert sorted(each.status_code for each in both) == [200] * 7 + [201]
    assert len({each.text for each in both}) == 1
    assert await app.recorded() == ["workspace-created"]


async def test_x5_name_is_an_alias_and_id_wins(app):
    assert (await app.post("", {"name": "a"})).json()["id"] == "a"
    assert (await app.post("", {"name": "a", "id": "b"})).json()["id"] == "b"


async def test_put_creates_silently(app):
    answer = await app.put("/acme", {"metadata": {"a": 1}})
    assert (answer.status_code, answer.json()["metadata"]) == (200, {"a": 1})
    assert (await app.post("", {"id": "acme"})).status_code == 200


async def test_x18_null_leaves_everything(app):
    await app.put("/acme", {"metadata": {"a": 1}, "configuration": {"top": 5}})
    answer = await app.put("/acme", {"metadata": None, "configuration": None})
    assert answer.status_code == 200
    assert answer.json()["metadata"] == {"a": 1}
    assert answer.json()["configuration"] == {"top": 5}


async def test_the_worked_example_of_merging_configuration(app):
    first = await app.put(
        "/acme",
        {
            "configuration": {
                "summary": {"enabled": True, "messages_per_short_summary": 15},
                "top": 5,
            }
        },
    )
    second = await app.put("/acme", {"configuration": {"summary": {"enabled": False}}})
    assert first.json()["configuration"] == {
        "top": 5,
        "summary": {"enabled": True, "messages_per_short_summary": 15},
    }
    assert second.json()["configuration"] == {"top": 5, "summary": {"enabled": False}}


async def test_x28_unknown_keys_stay_and_unknown_settings_go(app):
    sent = {
        "anything": {"goes": [None, 1]},
        "nothing": None,
        "reasoning": {"enabled": None, "unknown": 1},
        "summary": None,
        "dream": {"enabled": "yes"},
    }
    answer = await app.put("/acme", {"configuration": sent})
    assert answer.json()["configuration"] == {
        "anything": {"goes": [None, 1]},
        "nothing": None,
        "reasoning": {},
        "dream": {"enabled": True},
    }


async def test_every_section_may_carry_instructions_and_none_are_made_up(app):
    """HC 7.5: ``custom_instructions`` at the top and in every section."""
    told = {"custom_instructions": "Be brief."}
    sections = ("reasoning", "peer_card", "summary", "dream", "dialectic")
    sent = told | dict.fromkeys(sections, told)
    for path in ("/acme", "/acme/sessions/s"):
        answer = await app.put(path, {"configuration": sent})
        assert answer.json()["configuration"] == sent
    plain = {name: {} for name in sections}
    answer = await app.put("/acme", {"configuration": plain})
    assert answer.json()["configuration"] == told | plain
    long = {"configuration": {"dream": {"custom_instructions": "do " * 2_001}}}
    assert (await app.put("/acme", long)).status_code == 422


async def test_nul_is_dropped_from_metadata_and_configuration(app):
    sent = {"k\x00": ["v\x00", {"\x00": "\x00"}]}
    answer = await app.put("/acme", {"metadata": sent, "configuration": sent})
    assert answer.json()["metadata"] == {"k": ["v", {"": ""}]}
    assert answer.json()["configuration"] == {"k": ["v", {"": ""}]}


async def test_numbers_keep_their_type_and_a_doubled_key_its_last_value(app):
    sent = (
        b'{"metadata":{"i":1,"f":1.5,"t":true,"d":1,"d":2,"big":123456789012345678901}}'
    )
    answer = await app.put("/acme", sent)
    assert answer.text.startswith(
        '{"id":"acme","metadata":{"i":1,"f":1.5,"t":true,"d":2,'
        '"big":123456789012345678901}'
    )
    [created, configured] = await app.store.read_stream("workspace-acme")
    assert configured.event.metadata["big"] == 123456789012345678901
    assert created.event.metadata == {}
