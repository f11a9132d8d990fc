"""The HTTP application around its doors (HC 1.1, 1.11-1.15; X15)."""

import logging
from collections.abc import AsyncIterator

import asyncpg
import pytest
from httpx import ASGITransport, AsyncClient
from litestar import Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from pydantic import BaseModel, Field, RootModel

from commands.ports import Overloaded, WrongExpectedVersion
from domain.errors import Conflict, Invalid, NotFound, Refused
from infra.http.app import AppSettings, create_app
from infra.settings.kafka import KafkaSettings

JSON = {"content-type": "application/json"}
HIDDEN = "what nobody may read"

FAILURES = {
    "not-found": NotFound("There is no such thing"),
    "refused": Refused("Too many"),
    "invalid": Invalid("Never"),
    "conflict": Conflict("Not now"),
    "overloaded": Overloaded(1.4),
    "version": WrongExpectedVersion("Again"),
    "lost": asyncpg.ConnectionDoesNotExistError(HIDDEN),
    "refusing": ConnectionRefusedError(HIDDEN),
    "unforeseen": RuntimeError(HIDDEN),
}


class Page(BaseModel):
    page: int = Field(default=1, ge=1)
    size: int = Field(default=50, ge=1, le=100)
    reverse: bool = False
    sessions: list[str] | None = None


class Filters(BaseModel):
    filters: dict | None = None


class Names(RootModel[list[str]]):
    pass


Parse = SkipValidation[NamedDependency[object]]


@get("/things/{thing:str}")
async def get_thing(thing: FromPath[str]) -> str:
    return thing


@post("/things/list", opt={"query": Page, "body": Filters}, status_code=200)
async def list_things(parse: Parse) -> dict:
    page, filters = await parse.query_and_optional_body(Page, Filters)
    return {"page": page, "filters": filters and filters.filters}


@get("/fail/{how:str}")
async def fail(how: FromPath[str]) -> None:
    raise FAILURES[how]


@get("/given")
async def given(gift: Parse) -> object:
    return gift


@put("/things/{thing:str}")
async def put_thing(thing: FromPath[str]) -> str:
    return f"put {thing}"


class Switch:
    on = True


@pytest.fixture
async def http() -> AsyncIterator[AsyncClient]:
    switch = Switch()
    app = create_app(
        [put_thing, list_things, fail, given, Router("/", route_handlers=[get_thing])],
        {"gift": ["as", "it", "is"]},
        AppSettings(is_ready=lambda: switch.on, count_tokens=len),
    )
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://here") as client:
        client.switch = switch
        yield client


async def test_metrics_are_disabled_in_plain_text(http):
    answer = await http.get("/metrics")
    assert (answer.status_code, answer.text) == (404, "Metrics are disabled")
    assert answer.headers["content-type"].startswith("text/plain")


async def test_metrics_say_the_form_prometheus_knows():
    async def exposition():
        return b"up 1\n"

    settings = AppSettings(is_ready=lambda: True, count_tokens=len, metrics=exposition)
    app = create_app([], {}, settings)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://t") as http:
        answer = await http.get("/metrics")
    wanted = "text/plain; version=0.0.4; charset=utf-8"
    assert (answer.content, answer.headers["content-type"]) == (b"up 1\n", wanted)


async def test_health_says_whether_it_is_ready(http):
    answer = await http.get("/health")
    assert (answer.status_code, answer.text) == (200, '{"status":"ok"}')
    http.switch.on = False
    assert (await http.get("/health")).status_code == 503


async def test_doors_are_given_what_was_given_for_them(http):
    assert (await http.get("/given")).text == '["as","it","is"]'


async def test_an_encoded_slash_at_the_end_is_not_sent_back_to_itself(http):
    assert (await http.get("/things/a%2F")).status_code == 404


async def test_x15_a_surplus_slash_is_a_307_to_the_path_without_it(http):
    answer = await http.get("/things/a%20b/?x=%201&y=/")
    assert answer.status_code == 307
    assert answer.headers["location"] == "/things/a%20b?x=%201&y=/"
    assert answer.content == b""
    followed = await http.get("/things/a%20b/", follow_redirects=True)
    assert followed.text == "a b"


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/nothing/", "/things/a/b/", "//evil.test/", "/things//"]
)
async def test_what_is_nowhere_is_404(http, path):
    url = http.base_url.copy_with(raw_path=path.encode())
    answer = await http.get(url)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_a_wrong_method_is_405_with_the_right_ones(http):
    answer = await http.delete("/things/a")
    assert (answer.status_code, answer.json()) == (
        405,
        {"detail": "Method Not Allowed"},
    )
    assert sorted(answer.headers["allow"].split(", ")) == ["GET", "PUT"]


async def test_a_router_and_a_bare_handler_may_share_a_path(http):
    assert (await http.get("/things/a")).text == "a"
    assert (await http.put("/things/a")).text == "put a"


@pytest.mark.parametrize(
    ("how", "status", "detail"),
    [
        ("not-found", 404, "There is no such thing"),
        ("refused", 400, "Too many"),
        ("invalid", 422, "Never"),
        ("conflict", 409, "Not now"),
        ("overloaded", 503, "The log is busy; nothing was written"),
        ("version", 503, "Again"),
        ("lost", 503, "The database is away"),
        ("refusing", 503, "The database is away"),
        ("unforeseen", 500, "An unexpected error occurred"),
    ],
)
async def test_each_failure_has_its_answer(http, how, status, detail):
    answer = await http.get(f"/fail/{how}")
    assert (answer.status_code, answer.json()) == (status, {"detail": detail})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers.get("retry-after") == ("1" if how == "overloaded" else None)


async def test_the_unforeseen_is_logged_without_what_was_sent(http, caplog):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with caplog.at_level(logging.ERROR, "palimpsest.http"):
        await http.get("/fail/unforeseen", headers={"traceparent": trace})
    [line] = caplog.messages
    assert "RuntimeError" in line
    assert "/fail/{how} failed" in line
    assert "0af76519-16cd-43dd-8448-eb211c80319c" in line
    assert HIDDEN not in caplog.text


@pytest.mark.parametrize(
    "body", [None, b"", b"null", b"{}", b'{"filters":null}', b'{"filters":{}}']
)
async def test_x1_what_counts_as_everything(http, body):
    answer = await http.post("/things/list", content=body, headers=JSON)
    assert answer.status_code == 200
    assert not answer.json()["filters"]
    assert answer.json()["page"]["size"] == 50


async def test_a_body_nobody_sent_needs_no_content_type(http):
    assert (await http.post("/things/list")).status_code == 200


async def test_x2_filters_that_are_no_object_say_so(http):
    answer = await http.post("/things/list", json={"filters": "text"})
    [item] = answer.json()["detail"]
    assert (item["type"], item["loc"]) == ("dict_type", ["body", "filters"])


async def test_x11_query_and_body_are_told_of_in_one_list(http):
    answer = await http.post(
        "/things/list?page=0&size=101&reverse=&unknown=1", json={"filters": 1}
    )
    assert answer.status_code == 422
    items = answer.json()["detail"]
    assert [(each["type"], each["loc"]) for each in items] == [
        ("greater_than_equal", ["query", "page"]),
        ("less_than_equal", ["query", "size"]),
        ("bool_parsing", ["query", "reverse"]),
        ("dict_type", ["body", "filters"]),
    ]
    assert items[0]["msg"] == "Input should be greater than or equal to 1"
    assert (items[0]["input"], items[0]["ctx"]) == ("0", {"ge": 1})


async def test_repeated_parameters_are_a_list_where_one_is_asked_for(http):
    answer = await http.post("/things/list?sessions=a&page=7&sessions=b&page=2")
    assert answer.json()["page"]["sessions"] == ["a", "b"]
    assert answer.json()["page"]["page"] == 2


async def test_a_flood_of_parameters_is_refused(http):
    answer = await http.post("/things/list?" + "a=1&" * 6_000)
    assert answer.status_code == 422


async def test_listed_origins_may_call_and_others_not(http):
    ask = {"access-control-request-method": "PUT"}
    wanted = {"access-control-request-headers": "x-honcho-host,authorization"}
    known = await http.options(
        "/things/a", headers={"origin": "http://localhost", **ask, **wanted}
    )
    assert (known.status_code, known.text) == (200, "OK")
    assert known.headers["access-control-allow-headers"] == wanted.popitem()[1]
    assert "DELETE" in known.headers["access-control-allow-methods"]
    assert known.headers["access-control-allow-origin"] == "http://localhost"
    assert known.headers["access-control-allow-credentials"] == "true"
    assert known.headers["access-control-max-age"] == "600"
    foreign = await http.options("/things/a", headers={"origin": "http://evil", **ask})
    assert (foreign.status_code, foreign.text) == (400, "Disallowed CORS origin")
    answer = await http.get("/things/a", headers={"origin": "http://localhost"})
    assert answer.headers["access-control-allow-origin"] == "http://localhost"


async def test_options_that_is_no_preflight_is_a_wrong_method(http):
    answer = await http.options("/things/a")
    assert (answer.status_code, answer.json()) == (
        405,
        {"detail": "Method Not Allowed"},
    )
    assert set(answer.headers["allow"].split(", ")) == {"GET", "PUT"}
    assert (await http.options("/nowhere")).status_code == 404
    with_origin = await http.options("/things/a", headers={"origin": "http://evil"})
    assert with_origin.status_code == 405


async def test_the_document_describes_each_door(http):
    document = (await http.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "Palimpsest API"
    assert set(document["paths"]) == {
        "/fail/{how}",
        "/given",
        "/health",
        "/things/list",
        "/things/{thing}",
        "/v3/keys",
    }
    listing = document["paths"]["/things/list"]["post"]
    assert [each["name"] for each in listing["parameters"]] == [
        "page",
        "size",
        "reverse",
        "sessions",
    ]
    reference = listing["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert (
        reference.removeprefix("#/components/schemas/")
        in (document["components"]["schemas"])
    )


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/docs/oauth2-redirect"])
async def test_the_page_loads_nothing_from_afar(http, path):
    answer = await http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "Palimpsest API" in answer.text
    assert "http" not in answer.text.lower().replace("<!doctype html>", "")


async def test_topics_are_described_as_they_are_set():
    kafka = KafkaSettings(kafka_bootstrap_servers="one:9092", kafka_topic="ours")
    settings = AppSettings(is_ready=lambda: True, count_tokens=len, kafka=kafka)
    app = create_app([], {}, settings)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://t") as http:
        answers = [await http.get("/asyncapi.json") for _ in range(2)]
    assert answers[0].content == answers[1].content
    told = answers[0].json()
    assert told["asyncapi"] == "3.0.0"
    assert told["channels"]["events"]["address"] == "ours"
    assert told["servers"]["broker1"]["host"] == "one:9092"
