"""Lineage over HTTP: ``python -m tests.bench.lineage [--sessions N] [--seconds S]``.

Fills a log (sessions of 1,000 messages, a conclusion of every other message, and upon
these inferences in chains and in a tangle), folds it, starts a server and asks one
question after the other: for what was said, for the end of a chain of fifteen steps,
for the top of a tangle of eight layers, and for the consequences of a message. Cold is
the first question of its kind after a start of Postgres and server; warm are other
ids than before, each asked once. Milliseconds of processor time are those a warm
request takes of server and Postgres.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from domain.conclusion import ConclusionDerived, Evidence
from domain.derivation import DerivationCompleted
from domain.event import Call, Engine
from domain.names import (
    conclusion_stream,
    derivation_stream,
    pair_conclusion_stream,
    question_stream,
)
from domain.question import QuestionAnswered
from infra.key_source import master_key_of
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.log import LogSettings, PostgresLog
from infra.postgres.migrate import migrate
from infra.settings import Settings
from tests.bench.filling import (
    LONG,
    START,
    WORKSPACE,
    add_messages,
    append,
    message,
    open_workspace,
)
from tests.bench.growth import QUIET
from tests.bench.reads import processor_seconds, until_settled
from tests.bench.requests import Connection, get
from tests.support.server import Server, running

AIM_MS = 20.0
CHAINS = 200
STEPS = 15
LAYERS = 8
WIDTH = 100
STARTS = 3
_WINDOW = 10
_ENGINE = Engine(name="openai", version="1", model="m", prompt="derive_conclusions@1")
_SPENT = Engine(
    name="openai",
    version="1",
    model="m",
    prompt="derive_conclusions@1",
    prompt_hash="f" * 64,
    usage={"input": 900, "output": 120},
    call=Call(latency_ms=800.0, cost_usd_micros=400),
)
_AT = f"/v3/workspaces/{WORKSPACE}"


def concluded(session: int) -> Iterator[tuple[ConclusionDerived, ...]]:
    """Yield what each window of ten messages of a session tells: five facts."""
    for start in range(0, LONG, _WINDOW):
        facts = []
        for seq in range(start, start + _WINDOW, 2):
            said = [message(session, seq)]
            if seq > 2:
                said.append(message(session, seq - 2))
            facts.append(
                ConclusionDerived(
                    workspace=WORKSPACE,
                    session=f"s{session}",
                    id=f"f{said[0].id}",
                    observed=said[0].author,
                    content=f"{said[0].author}: {said[0].content}",
                    content_key=said[0].id,
                    occurred_at=said[0].created_at,
                    engine=_ENGINE,
                    evidence=tuple(Evidence(m.id, m.session, m.seq) for m in said),
                    derivation=f"d{session}-{start}",
                )
            )
        yield tuple(facts)


def derived(session: int, start: int) -> DerivationCompleted:
    """Return the record of one window."""
    return DerivationCompleted(
        workspace=WORKSPACE,
        session=f"s{session}",
        first_seq=start + 1,
        last_seq=start + _WINDOW,
        handled={"alice": _WINDOW // 2},
        conclusions=(),
        engine=_SPENT,
        derivation=f"d{session}-{start}",
        attempt=1,
    )


def inferred(name: str, sources: Sequence[str]) -> ConclusionDerived:
    """Return what bob infers of alice."""
    return ConclusionDerived(
        workspace=WORKSPACE,
        session=None,
        id=name,
        observed="alice",
        observer="bob",
        content=f"alice is {name}",
        content_key=name,
        occurred_at=START,
        engine=_ENGINE,
        level="deductive",
        sources=tuple(sources),
    )


def inferences(facts: Sequence[str]) -> Iterator[ConclusionDerived]:
    """Yield chains, each step upon the one before and a fact; and a tangle."""
    for chain in range(CHAINS):
        below = facts[chain % len(facts)]
        for step in range(STEPS):
            name = f"chain{chain}-{step}"
            fact = facts[(chain * 31 + step * 7) % len(facts)]
            yield inferred(name, dict.fromkeys((below, fact)))
            below = name
    layer = [facts[n % len(facts)] for n in range(WIDTH)]
    for depth in range(LAYERS):
        names = [f"tangle{depth}-{n}" for n in range(WIDTH)]
        for n, name in enumerate(names):
            under = (layer[(n * k) % WIDTH] for k in (1, 3, 7))
            yield inferred(name, dict.fromkeys(under))
        layer = names


def answers(facts: Sequence[str]) -> Iterator[QuestionAnswered]:
    """Yield answers that cite a fact and the end of a chain each."""
    for n in range(CHAINS):
        yield QuestionAnswered(
            workspace=WORKSPACE,
            id=f"q{n}",
            peer="bob",
            target="alice",
            session=None,
            question="What is alice like?",
            answer="So.",
            conclusions=(facts[n % len(facts)], f"chain{n}-{STEPS - 1}"),
            messages=(),
            level="low",
            as_of=0,
            answered_at=START,
            engine=_SPENT,
        )


async def fill(data: Path, sessions: int) -> list[str]:
    """Append all of it; return the ids of the facts."""
    postgres = EmbeddedPostgres(data)
    dsn = (await postgres.start()).dsn()
    facts: list[str] = []
    try:
        await migrate(dsn)
        key = master_key_of(data, Settings())
        async with PostgresLog.open(dsn, key, LogSettings(announces=False)) as log:
            await open_workspace(log)
            await add_messages(log, 0, sessions * LONG)
            for session in range(sessions):
                name = f"s{session}"
                told = list(concluded(session))
                drawn = [each for window in told for each in window]
                await append(log, conclusion_stream(WORKSPACE, name), drawn)
                done = [derived(session, start) for start in range(0, LONG, _WINDOW)]
                await append(log, derivation_stream(WORKSPACE, name), done)
                facts += [each.id for each in drawn]
            pair = pair_conclusion_stream(WORKSPACE, "bob", "alice")
            upon = list(inferences(facts))
            for start in range(0, len(upon), 500):
                await append(log, pair, upon[start : start + 500])
            asked = question_stream(WORKSPACE, "bob")
            await append(log, asked, list(answers(facts)))
    finally:
        await postgres.stop()
    return facts


def questions(facts: Sequence[str]) -> dict[str, list[str]]:
    """Return the paths of each kind, each of another id."""
    chains = (f"chain{n}-{STEPS - 1}" for n in range(CHAINS))
    tangle = (f"tangle{LAYERS - 1}-{n}" for n in range(WIDTH))
    said = [f"{_AT}/sessions/s0/messages/{f[1:]}/consequences" for f in facts[:CHAINS]]
    return {
        "what was said": [f"{_AT}/conclusions/{f}/lineage" for f in facts[:CHAINS]],
        f"a chain of {STEPS} steps": [f"{_AT}/conclusions/{c}/lineage" for c in chains],
        f"a tangle of {LAYERS} layers": [
            f"{_AT}/conclusions/{t}/lineage" for t in tangle
        ],
        "consequences of a message": said,
    }


async def first_of_each(port: int, paths: dict[str, list[str]]) -> dict[str, float]:
    """Ask each kind's first question on a connection of its own."""
    found = {}
    for kind, asked in paths.items():
        connection = await Connection.open(port)
        found[kind] = (await timed(connection, asked[0]))[0]
        await connection.close()
    return found


async def timed(connection: Connection, path: str) -> tuple[float, int]:
    """Ask once; return milliseconds and bytes."""
    begun = time.perf_counter()
    status, body = await connection.ask(get(path))
    took = (time.perf_counter() - begun) * 1_000
    assert status == 200, body
    return took, len(body)


async def warm(
    server: Server, asked: Sequence[str], seconds: float
) -> dict[str, float]:
    """Ask for other ids again and again, one after the other."""
    connection = await Connection.open(server.port)
    for path in asked[1:20]:
        await timed(connection, path)
    took: list[float] = []
    sizes: list[int] = []
    before = processor_seconds(server)
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for path in asked[20:]:
            milliseconds, size = await timed(connection, path)
            took.append(milliseconds)
            sizes.append(size)
    after = processor_seconds(server)
    await connection.close()
    spent = {k: 1_000 * (after[k] - before[k]) / len(took) for k in before}
    return {
        "warm_median_ms": statistics.median(took),
        "warm_p99_ms": statistics.quantiles(took, n=100)[98],
        "server_ms": spent["server"],
        "postgres_ms": spent["postgres"],
        "kilobytes": statistics.median(sizes) / 1_000,
        "requests": len(took),
    }


def run(folder: Path, sessions: int, seconds: float) -> dict[str, dict[str, float]]:
    data = folder / "data"
    facts = asyncio.run(fill(data, sessions))
    paths = questions(facts)
    cold: dict[str, list[float]] = {kind: [] for kind in paths}
    result: dict[str, dict[str, float]] = {}
    for start in range(STARTS):
        with running(data, QUIET, lawful=False) as server:
            until_settled(server, bound=1_800)
            for kind, took in asyncio.run(first_of_each(server.port, paths)).items():
                cold[kind].append(took)
            if start == STARTS - 1:
                for kind, asked in paths.items():
                    result[kind] = asyncio.run(warm(server, asked, seconds))
    for kind, took in cold.items():
        extremes = {"cold_median_ms": statistics.median(took), "cold_max_ms": max(took)}
        result[kind] = extremes | result[kind]
    return result


def show(result: dict[str, dict[str, float]], console: Console) -> None:
    columns = list(next(iter(result.values())))
    table = Table("lineage of", *columns, title=f"One connection; aim {AIM_MS} ms")
    for kind, figures in result.items():
        table.add_row(kind, *(f"{figures[each]:,.2f}" for each in columns))
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="palimpsest-") as folder:
        result = run(Path(folder), given.sessions, given.seconds)
    if given.json:
        print(json.dumps(result))
    else:
        show(result, Console(width=200))


if __name__ == "__main__":
    main()
