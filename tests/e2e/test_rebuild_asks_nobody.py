"""A rebuild asks no model and no embedder: all they ever said is in the log."""

import asyncio
import json

import httpx
import openai
import pytest
from typer.testing import CliRunner

from infra.cli.app import app
from infra.composition import open_palimpsest
from infra.embedder.child import Child
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.views import connect_views, drifted_views
from infra.settings import Settings
from projections.registry import LAGGING, PROMPT
from tests.support.command import until
from tests.support.server import running
from tests.support.stopped import rebuilt_equals_live

VIEWS = (*PROMPT, *LAGGING)
COUNTED = "SELECT name FROM vector_collection"


class AskedError(Exception):
    """Somebody was asked who is not to be."""


def refuse(*_args, **_kwargs):
    raise AskedError


@pytest.fixture
def data(tmp_path):
    """A folder in which things were said, concluded, summed up, embedded, answered."""
    with running(tmp_path / "data") as server:
        at = f"{server.url}/v3/workspaces/w"
        said = [
            {"peer_id": "ann", "content": f"I own boat number {number}."}
            for number in range(25)
        ]
        with httpx.Client(timeout=120) as http:
            answer = http.post(f"{at}/sessions/s/messages", json={"messages": said})
            assert answer.status_code == 201, answer.text
            until(lambda: _is_quiet(http, at))
            body = {"query": "What do I own?"}
            answer = http.post(f"{at}/peers/ann/chat", json=body)
            assert answer.status_code == 200, answer.text
        assert server.stop() == 0
    return tmp_path / "data"


def _is_quiet(http, at):
    status = http.get(f"{at}/queue/status").json()
    return status["pending_work_units"] == status["in_progress_work_units"] == 0


@pytest.fixture
def nobody(data, monkeypatch):
    """Clients of models and of the embedder that raise on any use, also when made.

    The folder comes first: its server is to find no model.
    """
    assert data.exists()
    monkeypatch.setattr(openai.AsyncOpenAI, "__init__", refuse)
    monkeypatch.setattr(httpx.AsyncClient, "send", refuse)
    monkeypatch.setattr(Child, "start", refuse)
    monkeypatch.setenv("LLM_OPENAI_API_KEY", "k")  # a model is set, and never used


@pytest.mark.usefixtures("nobody")
def test_on_the_command_line(data, monkeypatch):
    monkeypatch.chdir(data.parent)
    words = ["rebuild", "--all", "--json", "--data", str(data)]
    ended = CliRunner().invoke(app, words)
    assert ended.exit_code == 0, ended.output
    report = json.loads(ended.stdout.splitlines()[-1])
    assert {"vectors", "conclusions", "summaries"} <= set(report["projections"])
    assert report["differences"] == []
    rebuilt_equals_live(data)


@pytest.mark.usefixtures("nobody")
def test_at_a_start_that_finds_views_of_other_code(data, monkeypatch):
    """The start gets past its views, and no further: the embedder cannot be asked."""
    monkeypatch.chdir(data.parent)

    async def start():
        postgres = EmbeddedPostgres(data)
        dsn = (await postgres.start()).dsn()
        try:
            db = await connect_views(dsn)
            assert await db.fetch(COUNTED) != []
            await db.execute("UPDATE checkpoint SET code = ''")
            with pytest.raises(AskedError):
                async with open_palimpsest(dsn, data=data, settings=Settings()):
                    pass
            assert await drifted_views(db, VIEWS) == []
            assert await db.fetch(COUNTED) != []
            await db.close()
        finally:
            await postgres.stop()

    asyncio.run(start())
    rebuilt_equals_live(data)
