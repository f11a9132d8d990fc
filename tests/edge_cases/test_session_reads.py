"""HC 8.5: what is read of a session."""


def test_x80_a_context_without_target_knows_nobody(api, at):
    api.post(f"{at}/sessions", json={"id": "s"})
    for name in ("s", "never-made"):
        answer = api.get(f"{at}/sessions/{name}/context")
        assert answer.status_code == 200
        assert answer.json() == {
            "id": name,
            "messages": [],
            "summary": None,
            "peer_representation": None,
            "peer_card": None,
        }


def test_x81_a_context_with_a_target_has_a_text_also_where_nothing_is_known(api, at):
    api.post(f"{at}/sessions", json={"id": "s", "peers": {"alice": {}}})
    answer = api.get(f"{at}/sessions/s/context?peer_target=alice")
    assert answer.status_code == 200
    assert answer.json()["peer_representation"] == ""


def test_x82_a_perspective_needs_a_target(api, at):
    answer = api.get(f"{at}/sessions/s/context?peer_perspective=alice")
    assert answer.status_code == 422
    assert "peer_target" in answer.json()["detail"]


def test_x84_an_unknown_session_has_no_summaries(api, at):
    answer = api.get(f"{at}/sessions/nope/summaries")
    assert answer.status_code == 200
    wanted = {"id": "nope", "short_summary": None, "long_summary": None}
    assert answer.json() == wanted


def test_x85_an_unknown_session_is_searched_in_vain(api, at):
    answer = api.post(f"{at}/sessions/nope/search", json={"query": "x"})
    assert (answer.status_code, answer.json()) == (200, [])
