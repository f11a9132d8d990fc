"""Evidence recall on LoCoMo, through HTTP: ``python -m tests.bench.locomo``.

Loads each conversation of ``../shared/data/locomo-dev.json`` (read where it lies)
into a workspace of its own, waits until it is embedded and derived, asks every
question of workspace search, and reports the share of evidence turns found in the
first 5, 10, 20 and 50; the same through conclusions, where a conclusion counts
for the messages it rests on.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from infra.postgres.embedded import running_cluster
from infra.postgres.view_readers import open_view_readers
from infra.standing import standing
from tests.bench.requests import Connection, get, post
from tests.support.server import Server, running

DATA = Path(__file__).parents[3] / "shared" / "data" / "locomo-dev.json"
CUTS = (5, 10, 20, 50)
CATEGORIES = {
    1: "multi-hop",
    2: "temporal",
    3: "open-domain",
    4: "single-hop",
    5: "adversarial",
}


def turns(conversation: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each session's name and its messages, ``dia_id`` in the metadata."""
    number = 1
    while f"session_{number}" in conversation:
        at = datetime.strptime(
            conversation[f"session_{number}_date_time"], "%I:%M %p on %d %B, %Y"
        ).replace(tzinfo=UTC)
        messages = []
        for turn in conversation[f"session_{number}"]:
            text = turn["text"]
            if turn.get("blip_caption"):
                text += f" [shares a photo: {turn['blip_caption']}]"
            messages.append(
                {
                    "peer_id": turn["speaker"].replace(" ", "_"),
                    "content": text,
                    "metadata": {"dia_id": turn["dia_id"]},
                    "created_at": at.isoformat(),
                }
            )
        yield f"session_{number}", messages
        number += 1


async def ask(connection: Connection, request: bytes) -> Any:
    status, body = await connection.ask(request)
    if status >= 300:
        raise RuntimeError(f"{status} {body[:300]!r}")
    return msgspec.json.decode(body)


async def fill(connection: Connection, workspace: str, conversation: Any) -> dict:
    """Load one conversation; return message id → dia_id."""
    names = {}
    for session, messages in turns(conversation):
        for start in range(0, len(messages), 100):
            body = msgspec.json.encode({"messages": messages[start : start + 100]})
            path = f"/v3/workspaces/{workspace}/sessions/{session}/messages"
            for message in await ask(connection, post(path, body)):
                names[message["id"]] = message["metadata"]["dia_id"]
    return names


async def settled(views: asyncpg.Pool, connection: Connection, workspace: str) -> None:
    """Wait until nothing is pending and every consumer has reached the head."""
    for _ in range(6_000):
        status = await ask(connection, get(f"/v3/workspaces/{workspace}/queue/status"))
        if not status["pending_work_units"]:
            now = await standing(views)
            if all(not consumer.lag_events for consumer in now.consumers):
                return
        await asyncio.sleep(0.1)
    raise RuntimeError("the server did not settle")


async def search(connection: Connection, workspace: str, question: str) -> list[str]:
    path = f"/v3/workspaces/{workspace}/search"
    body = msgspec.json.encode({"query": question, "limit": 50})
    return [m["metadata"]["dia_id"] for m in await ask(connection, post(path, body))]


async def through_conclusions(
    views: asyncpg.Pool, connection: Connection, workspace: str, qa: Any
) -> list[str]:
    """Return the ``dia_id`` of what the ten nearest conclusions rest on.

    Every speaker's view of itself is asked; their answers are taken in turns.
    """
    rows = await views.fetch(
        "SELECT DISTINCT observed FROM conclusion WHERE tenant = $1", workspace
    )
    asked = []
    for row in rows:
        body = {
            "query": qa["question"],
            "top_k": 10,
            "filters": {"observer": row[0], "observed": row[0]},
        }
        path = f"/v3/workspaces/{workspace}/conclusions/query"
        asked.append(await ask(connection, post(path, msgspec.json.encode(body))))
    turns_taken = [c for taken in zip_longest(*asked) for c in taken if c is not None]
    found = await views.fetch(
        "SELECT m.metadata ->> 'dia_id'"
        " FROM unnest($2::text[]) WITH ORDINALITY AS c(id, n)"
        " JOIN evidence e ON e.tenant = $1 AND e.conclusion = c.id"
        " JOIN message m ON m.tenant = $1 AND m.id = e.message ORDER BY c.n",
        workspace,
        [c["id"] for c in turns_taken[:10]],
    )
    return [row[0] for row in found]


def recall(found: list[str], evidence: set[str], cut: int) -> float:
    return len(evidence & set(found[:cut])) / len(evidence)


async def run(server: Server, most: int | None) -> dict[str, Any]:
    address = running_cluster(server.data)
    assert address is not None
    async with open_view_readers(address.dsn(), size=1) as views:
        return await measure(server, views, most)


async def measure(
    server: Server, views: asyncpg.Pool, most: int | None
) -> dict[str, Any]:
    connection = await Connection.open(server.port)
    concluded: list[float] = []
    scores: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    sampled: list[str] = []
    count = {"turns": 0, "conclusions": 0, "questions": 0}
    data = json.loads(DATA.read_text())[:most]
    with Progress(console=Console(stderr=True)) as progress:
        for number, item in enumerate(progress.track(data, description="LoCoMo")):
            workspace = f"locomo{number}"
            names = await fill(connection, workspace, item["conversation"])
            await settled(views, connection, workspace)
            count["turns"] += len(names)
            page = await ask(
                connection,
                post(f"/v3/workspaces/{workspace}/conclusions/list?size=100", b"{}"),
            )
            count["conclusions"] += page["total"]
            sampled += [c["content"] for c in page["items"]]
            known = set(names.values())
            for qa in item["qa"]:
                evidence = {e for e in qa.get("evidence", []) if e in known}
                if not evidence:
                    continue
                count["questions"] += 1
                found = await search(connection, workspace, qa["question"])
                drawn = await through_conclusions(views, connection, workspace, qa)
                concluded.append(recall(drawn, evidence, len(drawn)))
                for cut in CUTS:
                    value = recall(found, evidence, cut)
                    scores["all"][cut].append(value)
                    scores[CATEGORIES[qa["category"]]][cut].append(value)
    await connection.close()
    random.Random(7).shuffle(sampled)
    return {
        "recall": {
            name: {cut: round(100 * sum(v) / len(v), 1) for cut, v in by.items()}
            for name, by in scores.items()
        },
        "recall_through_10_conclusions": round(
            100 * sum(concluded) / max(1, len(concluded)), 1
        ),
        "count": count,
        "conclusions_per_100_turns": round(
            100 * count["conclusions"] / max(1, count["turns"]), 1
        ),
        "sample": sampled[:100],
    }


def show(result: dict[str, Any]) -> None:
    console = Console()
    table = Table("category", *(f"@{cut}" for cut in CUTS), title="Evidence recall, %")
    for name, by in result["recall"].items():
        table.add_row(name, *(str(by[cut]) for cut in CUTS))
    console.print(table)
    console.print(result["recall_through_10_conclusions"], "% through conclusions")
    console.print(result["count"], result["conclusions_per_100_turns"], "per 100 turns")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"{DATA.name} is not beside this checkout; nothing was measured")
    with (
        tempfile.TemporaryDirectory(prefix="palimpsest-") as folder,
        running(Path(folder) / "data", lawful=False) as server,
    ):
        result = asyncio.run(run(server, given.conversations))
    print(json.dumps(result)) if given.json else show(result)


if __name__ == "__main__":
    main()
