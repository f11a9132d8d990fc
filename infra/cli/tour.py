"""A tour: a conversation, what is concluded from it, and why."""

import asyncio
import socket
import tempfile
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import msgspec
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from infra.cli.opened import opened
from infra.cli.place import Place
from infra.cli.trace import as_tree, story_of
from infra.cli.why_tree import as_tree as as_grounds
from infra.door import listening
from infra.serving import serving
from infra.settings import Settings
from infra.why import why


async def tour(found: Settings) -> None:
    """Show it all on a server of its own in a temporary folder; leaves nothing."""
    script = msgspec.json.decode(
        files("infra.demo").joinpath("conversation.json").read_bytes()
    )
    own = ("db_connection_uri", "keys_connection_uri", "keys_master_key")
    settings = found.model_copy(update=dict.fromkeys(own))
    with (
        tempfile.TemporaryDirectory(prefix="palimpsest-demo-") as folder,
        listening("127.0.0.1", 0) as door,
    ):
        place = Place(Path(folder) / "data", None)
        async with serving(place, settings, door):
            await _show_all(script, door, place, settings)


async def _show_all(
    script: dict[str, Any], door: socket.socket, place: Place, settings: Settings
) -> None:
    console = Console()
    port = door.getsockname()[1]
    base = f"http://127.0.0.1:{port}/v3/workspaces/{script['workspace']}"
    async with httpx.AsyncClient(base_url=base, timeout=60, trust_env=False) as client:
        messages = await _load(client, script, console)
        await _show(client, script, console)
        believed = await _take_back(client, script, console)
    told = next(m for m in messages if m["peer_id"] == script["peer"])
    async with opened(place, settings) as found, found.views.acquire() as db:
        grounds = await why(db, found.log.store, believed)
        story = await story_of(found, told["id"])
    console.rule("[bold]why: what one conclusion rests on")
    if grounds is not None:
        console.print(as_grounds(grounds))
    console.rule("[bold]trace: the story of one message")
    console.print(as_tree(told["id"], story))


async def _load(
    client: httpx.AsyncClient, script: dict[str, Any], console: Console
) -> list[dict[str, Any]]:
    """Say it all, then watch it being processed."""
    said: list[dict[str, Any]] = []
    bars = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*bars, console=console) as progress:
        loading = progress.add_task("messages said", total=len(script["sessions"]))
        for session in script["sessions"]:
            begin = datetime.fromisoformat(session["at"])
            batch = [
                {
                    "peer_id": peer,
                    "content": content,
                    "created_at": (begin + timedelta(minutes=n)).isoformat(),
                }
                for n, (peer, content) in enumerate(session["messages"])
            ]
            path = f"/sessions/{session['id']}/messages"
            said += await _ask(client, "POST", path, {"messages": batch})
            progress.advance(loading)
        deriving = progress.add_task("messages reasoned about", total=len(said))
        while True:
            status = await _ask(client, "GET", "/queue/status")
            progress.update(
                deriving,
                total=status["total_work_units"],
                completed=status["completed_work_units"],
            )
            if status["completed_work_units"] == status["total_work_units"]:
                return said
            await asyncio.sleep(0.05)


async def _show(
    client: httpx.AsyncClient, script: dict[str, Any], console: Console
) -> None:
    peer, question, words = script["peer"], script["question"], script["search"]
    path = f"/peers/{peer}/representation"
    known = await _ask(client, "POST", path, {"max_conclusions": 100})
    console.print(
        Panel(Text(known["representation"].strip()), title=f"what {peer} told")
    )
    found = Table("date", "who", "said", title=f"search: {words}")
    for message in await _ask(client, "POST", "/search", {"query": words, "limit": 3}):
        found.add_row(
            message["created_at"][:10], message["peer_id"], Text(message["content"])
        )
    console.print(found)
    answer = await _ask(client, "POST", f"/peers/{peer}/chat", {"query": question})
    console.print(Panel(Text(answer["content"] or ""), title=question))


async def _take_back(
    client: httpx.AsyncClient, script: dict[str, Any], console: Console
) -> str:
    """Retract a conclusion, read as it stood before, undo; return its id."""
    peer = script["peer"]
    pair = {"filters": {"observer_id": peer, "observed_id": peer}}
    path = "/conclusions/list?size=1&reverse=true"
    believed = (await _ask(client, "POST", path, pair))["items"][0]
    before = await _known(client, peer)
    reason = {"reason": "she says it was a joke"}
    path = f"/conclusions/{believed['id']}/retract"
    unit = (await _ask(client, "POST", path, reason))["unit"]
    after = await _known(client, peer)
    then = await _known(client, peer, f"?as_of={before.position}")
    await _ask(client, "POST", f"/retractions/{unit}/undo")
    again = await _known(client, peer)
    table = Table("", "position", f"conclusions of {peer}", title=believed["content"])
    for what, known in {
        "as it stands": before,
        "retracted": after,
        "read as of before": then,
        "undone": again,
    }.items():
        table.add_row(what, str(known.position), str(known.lines))
    console.print(table)
    return str(believed["id"])


class _Known(msgspec.Struct, frozen=True):
    """How much a representation tells, and the position it was read at."""

    position: int
    lines: int


async def _known(client: httpx.AsyncClient, peer: str, as_of: str = "") -> _Known:
    path = f"/peers/{peer}/representation{as_of}"
    answer = await client.post(path, json={"max_conclusions": 100})
    answer.raise_for_status()
    told: str = answer.json()["representation"]
    lines = sum(line.startswith("[") for line in told.splitlines())
    return _Known(int(answer.headers["x-position"]), lines)


async def _ask(
    client: httpx.AsyncClient, method: str, path: str, body: object = None
) -> Any:
    answer = await client.request(method, path, json=body)
    answer.raise_for_status()
    return answer.json()
