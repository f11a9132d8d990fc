"""Conclusions as clients make, list, query and delete them (HC 8.7)."""

import pytest

NINE = {
    "id",
    "content",
    "observer_id",
    "observed_id",
    "session_id",
    "level",
    "created_at",
    "source_ids",
    "times_derived",
}
PAIR = {"observer_id": "ann", "observed_id": "bob"}


@pytest.fixture
def pair(api, at):
    """Two peers and two sessions; the path of their conclusions."""
    for peer in ("ann", "bob"):
        assert api.post(f"{at}/peers", json={"id": peer}).status_code == 201
    for session in ("s", "t"):
        assert api.post(f"{at}/sessions", json={"id": session}).status_code == 201
    return f"{at}/conclusions"


def holding(content, **more):
    return {"content": content, **PAIR, **more}


def create(api, path, *conclusions):
    made = api.post(path, json={"conclusions": list(conclusions)})
    assert made.status_code == 201, made.text
    return made.json()


def listed(api, path, filters=None, **query):
    found = api.post(f"{path}/list", json={"filters": filters}, params=query)
    assert found.status_code == 200, found.text
    return [each["content"] for each in found.json()["items"]]


def queried(api, path, query, **more):
    body = {"query": query, "filters": PAIR, **more}
    return api.post(f"{path}/query", json=body)


def test_x107_the_newest_come_first_and_reverse_is_the_oldest_first(api, pair):
    create(api, pair, holding("one"), holding("two"))
    create(api, pair, holding("three"))
    assert listed(api, pair) == ["three", "two", "one"]
    assert listed(api, pair, reverse=True) == ["one", "two", "three"]
    assert listed(api, pair, size=1, page=2) == ["two"]


def test_x108_an_unknown_session_in_the_filter_finds_nothing(api, pair):
    create(api, pair, holding("one", session_id="s"))
    assert listed(api, pair, {"session_id": "nowhere"}) == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"observer_id": "nobody"}, 404),
        ({"observed_id": "nobody"}, 404),
        ({"observed_id": "no.body"}, 404),
        ({"session_id": "nowhere"}, 404),
        ({"session_id": ""}, 404),
        ({"content": ""}, 422),
        ({"content": "\0"}, 422),
        ({"content": "x" * 65_536}, 422),
        ({"content": "word " * 9_000}, 422),
    ],
)
def test_x109_a_create_that_names_the_unknown_or_says_nothing_is_refused(
    api, pair, change, status
):
    refused = api.post(
        pair, json={"conclusions": [holding("fine"), holding("x") | change]}
    )
    assert refused.status_code == status, refused.text
    assert api.post(pair, json={"conclusions": []}).status_code == 422
    assert listed(api, pair) == []


def test_x109_the_refusals_say_what_is_missing(api, workspace, pair):
    def detail(**change):
        body = {"conclusions": [holding("x") | change]}
        return api.post(pair, json=body).json()["detail"]

    assert detail(observer_id="no") == f"Peer no not found in workspace {workspace}"
    assert detail(session_id="no") == f"Session no not found in workspace {workspace}"
    assert "maximum token limit of 8192" in detail(content="word " * 9_000)


def test_x110_without_a_session_it_is_null_and_batches_may_mix(api, pair):
    made = create(
        api,
        pair,
        holding("in s", session_id="s"),
        holding("in none"),
        holding("null", session_id=None),
        holding("in t", session_id="t"),
        holding("again in s", session_id="s"),
    )
    assert [each["session_id"] for each in made] == ["s", None, None, "t", "s"]
    assert [each["content"] for each in made] == [
        "in s",
        "in none",
        "null",
        "in t",
        "again in s",
    ]


def test_x111_those_of_no_session_are_listed_and_null_selects_them(api, pair):
    create(api, pair, holding("loose"), holding("bound", session_id="s"))
    found = api.post(f"{pair}/list", json={"filters": PAIR}).json()["items"]
    assert {each["content"]: each["session_id"] for each in found} == {
        "loose": None,
        "bound": "s",
    }
    assert listed(api, pair, PAIR | {"session_id": None}) == ["loose"]
    assert listed(api, pair, PAIR | {"session_id": {"ne": None}}) == ["bound"]


def test_x112_ne_and_not_include_those_of_no_session(api, pair):
    create(
        api,
        pair,
        holding("in s", session_id="s"),
        holding("in t", session_id="t"),
        holding("loose"),
    )
    for other in ({"session_id": {"ne": "s"}}, {"NOT": [{"session_id": "s"}]}):
        assert sorted(listed(api, pair, other)) == ["in t", "loose"]


def test_x113_a_query_names_observer_and_observed_in_either_spelling(api, pair):
    create(api, pair, holding("likes tea"))
    for filters in (None, {}, {"observer_id": "ann"}, {"observed": "bob"}):
        refused = api.post(f"{pair}/query", json={"query": "tea", "filters": filters})
        assert refused.status_code == 422
        assert refused.json()["detail"].startswith("observer and observed must be")
    for filters in (PAIR, {"observer": "ann", "observed": "bob"}):
        found = api.post(f"{pair}/query", json={"query": "tea", "filters": filters})
        assert [each["content"] for each in found.json()] == ["likes tea"]


@pytest.mark.parametrize("top_k", [0, 101, None, "many"])
def test_x114_a_top_k_out_of_bounds_is_refused(api, pair, top_k):
    assert queried(api, pair, "tea", top_k=top_k).status_code == 422


def test_x115_a_second_or_unknown_delete_is_404_and_the_row_is_gone(api, at, pair):
    [kept, gone] = create(api, pair, holding("kept"), holding("gone", session_id="s"))
    deleted = api.delete(f"{pair}/{gone['id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert int(deleted.headers["x-position"]) > 0
    for missing in (gone["id"], "unknown", "%00"):
        refused = api.delete(f"{pair}/{missing}")
        assert refused.status_code == 404
        assert "not found" in refused.json()["detail"]
    assert listed(api, pair) == ["kept"]
    found = queried(api, pair, "gone").json()
    assert [each["id"] for each in found] == [kept["id"]]
    known = api.post(f"{at}/peers/ann/representation", json={"target": "bob"}).json()
    assert "kept" in known["representation"]
    assert "gone" not in known["representation"]


def test_x116_a_level_is_filterable_and_must_be_one(api, pair):
    create(api, pair, holding("one", level="deductive"))
    for level in ("explicit", ["deductive", "explicit"], {"in": ["explicit"]}):
        assert listed(api, pair, {"level": level}) == ["one"]
    assert listed(api, pair, {"level": "deductive"}) == []
    for bogus in ("bogus", ["bogus"], {"ne": "bogus"}):
        refused = api.post(f"{pair}/list", json={"filters": {"level": bogus}})
        assert refused.status_code == 422
        assert "Invalid value for column 'level'" in refused.json()["detail"]


def test_x117_responses_have_exactly_the_nine_public_fields(api, pair):
    [made] = create(api, pair, holding("one", session_id="s"))
    [row] = api.post(f"{pair}/list").json()["items"]
    [near] = queried(api, pair, "one").json()
    one = api.get(f"{pair}/{made['id']}").json()
    assert made == row == near == one
    assert set(made) == NINE
    assert (made["level"], made["times_derived"], made["source_ids"]) == (
        "explicit",
        1,
        [],
    )


def test_x118_what_is_fresh_is_found_by_list_and_query_at_once(api, at, pair):
    for number in range(5):
        [made] = create(api, pair, holding(f"Bob owns {number} parrots"))
        assert listed(api, pair)[0] == made["content"]
        found = queried(api, pair, made["content"], top_k=1).json()
        assert [each["id"] for each in found] == [made["id"]]
        known = api.post(f"{at}/peers/ann/representation", json={"target": "bob"})
        assert made["content"] in known.json()["representation"]
    whole = [holding(f"note {number}") for number in range(100)]
    made = create(api, pair, *whole)
    assert queried(api, pair, "note 37", top_k=1, distance=0.01).json() == [made[37]]


@pytest.mark.parametrize("nothing", ["", " ", "\n\t", "\x00"])
def test_x118_a_question_of_nothing_finds_what_there_is(api, pair, nothing):
    create(api, pair, holding("one"))
    answer = queried(api, pair, nothing)
    assert (answer.status_code, [each["content"] for each in answer.json()]) == (
        200,
        ["one"],
    )
