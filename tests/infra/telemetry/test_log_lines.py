"""Lines of the process log: what they are about, and what they never quote."""

import json
import logging
import sys

import pytest
from httpx import ASGITransport, AsyncClient
from litestar import Litestar, get
from litestar.params import FromPath

from infra.http.correlation import trace_parent_of
from infra.settings import Settings
from infra.telemetry.doors import Doors, RequestLines
from infra.telemetry.log_lines import JsonLines, TextLines, start_logging, writes_json
from infra.telemetry.under_way import RequestWork, working

SECRET = "what nobody may read"  # noqa: S105  a mark
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_LOG = logging.getLogger("palimpsest.test")


@get("/things/{thing:str}", sync_to_thread=False)
def thing(thing: FromPath[str]) -> str:
    _LOG.info("looked")
    return thing


@pytest.fixture
def lines():
    """All lines, as JSON, written below."""
    written = []
    handler = logging.Handler()
    handler.emit = lambda record: written.append(json.loads(JsonLines().format(record)))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
async def http():
    app = Doors(Litestar([thing], openapi_config=None), [RequestLines()])
    async with AsyncClient(transport=ASGITransport(app), base_url="http://t") as client:
        yield client


async def test_a_line_says_which_request_it_is_about(http, lines):
    answer = await http.get(
        f"/things/{SECRET}?q={SECRET}",
        headers={"X-Request-Id": "req-7", "traceparent": TRACE},
    )
    assert answer.headers["x-request-id"] == "req-7"
    ours = [each for each in lines if each["logger"].startswith("palimpsest.")]
    looked, asked = ours
    for line in (looked, asked):
        assert (line["request"], line["trace"]) == ("req-7", TRACE[3:35])
    assert (asked["endpoint"], asked["status"]) == ("/things/{thing}", 200)
    assert asked["milliseconds"] >= 0
    assert SECRET not in str(ours)


@pytest.mark.parametrize("sent", ["", "two words", "x" * 129, '{"a":1}', "ü"])
async def test_an_id_that_is_none_is_replaced_by_the_story(http, sent):
    headers = {b"x-request-id": sent.encode(), b"traceparent": TRACE.encode()}
    answer = await http.get("/things/1", headers=headers)
    assert answer.headers["x-request-id"] == "0af76519-16cd-43dd-8448-eb211c80319c"


async def test_a_path_nobody_serves_is_not_told(http, lines):
    await http.get(f"/{SECRET}")
    [asked] = [each for each in lines if each["logger"] == "palimpsest.requests"]
    assert (asked["endpoint"], asked["status"]) == ("(unmatched)", 404)


@pytest.mark.parametrize("form", [JsonLines(), TextLines()])
async def test_a_path_cannot_write_lines_or_be_told_where_a_name_belongs(form):
    scope = {"state": {}, "headers": [], "path_params": {}}
    record = logging.LogRecord("palimpsest.t", 20, "", 1, "a\nforged\x1b[2J", (), None)
    for name, tells in (
        ("team", True),
        (f"{SECRET}\nforged", False),
        ("x" * 513, False),
    ):
        scope["path_params"]["workspace"] = name
        with working(RequestWork(scope)):
            line = form.format(record)
        assert len(line.splitlines()) == 1
        assert "\x1b" not in line
        assert (name in line) is tells
        assert SECRET not in line


@pytest.mark.parametrize(
    "sent",
    [
        TRACE.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        TRACE.upper(),
        TRACE + "-00",
        TRACE * 1_000,
    ],
)
def test_a_traceparent_that_is_none_begins_a_story(sent):
    assert trace_parent_of({"headers": [(b"traceparent", sent.encode())]}) is None


@pytest.mark.parametrize("form", [JsonLines(), TextLines()])
def test_an_exception_is_its_type_and_place_and_never_its_text(form):
    try:
        _fail()
    except ValueError:
        record = _LOG.makeRecord(
            "palimpsest.test", logging.ERROR, "", 0, "broke", (), sys.exc_info()
        )
    line = form.format(record)
    assert SECRET not in line
    assert "ValueError" in line
    assert "test_log_lines:" in line
    assert "\n" not in line


def _fail():
    raise ValueError(SECRET)


@pytest.fixture
def _untouched():
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], level = before
    root.setLevel(level)


@pytest.mark.usefixtures("_untouched")
async def test_below_warning_only_our_own_code_speaks(capsys):
    start_logging(Settings(log_format="json", log_level="DEBUG"))
    logging.getLogger("somebody.else").info("their info: %s", SECRET)
    logging.getLogger("somebody.else").warning("their warning")
    _LOG.debug("ours")
    said = [
        json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()
    ]
    assert said == ["their warning", "ours"]


@pytest.mark.usefixtures("_untouched")
async def test_what_is_tried_again_and_again_is_said_once(capsys):
    start_logging(Settings(log_format="json"))
    for _ in range(3):
        _LOG.warning("%s: %s", "derive_conclusions", "ConnectionRefusedError")
    _LOG.warning("%s: %s", "embed_memory", "ConnectionRefusedError")
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_the_form_is_json_where_nobody_looks_unless_set():
    assert writes_json(Settings())  # pytest reads standard error through a pipe
    assert not writes_json(Settings(log_format="TEXT"))
