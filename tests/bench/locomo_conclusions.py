"""Evidence recall through conclusions: ``python -m tests.bench.locomo_conclusions``.

Folds LoCoMo's conversations, and what the offline engine concludes of each turn,
straight into the views of a database of its own; a conclusion counts for the message
it rests on. Prints the recall of ten conclusions by cosine, each speaker's view of
itself in turns, as ``/conclusions/query`` answers, and by hybrid search over all,
as chat and representations search.
"""

import asyncio
import json
import sys
from collections.abc import Iterable
from itertools import zip_longest
from statistics import fmean

import asyncpg

from domain.conclusion import ConclusionDerived, Evidence
from domain.embedding import Embedded, EmbeddingRecorded
from domain.event import Engine, Event
from domain.session import MessageAdded
from infra.embedder.process import EmbedderProcess
from processors.offline.derive import derive
from processors.offline.utterance import Utterance
from projections.conclusion_search import (
    ConclusionQuestion,
    nearest_conclusions,
    search_conclusions,
)
from projections.probe import Probe
from projections.registry import LAGGING, PROMPT
from tests.bench.locomo import DATA
from tests.bench.locomo_ranking import embedded, fresh_views, spoken
from tests.support.folding import create, fold
from tests.support.history import record

TEN = 10
AT_ONCE = 200


def concluded(said: list[MessageAdded]) -> Iterable[ConclusionDerived]:
    """Conclude from each turn alone, as the offline engine does on a server."""
    authors = dict.fromkeys(each.author for each in said)
    number = 0
    for each in said:
        others = [
            Utterance("", name, "", each.created_at)
            for name in authors
            if name != each.author
        ]
        own = Utterance(each.id, each.author, each.content, each.created_at)
        for fact in derive([*others, own], each.author):
            number += 1
            yield ConclusionDerived(
                workspace=each.workspace,
                session=each.session,
                id=f"c{number}",
                observed=each.author,
                observer=each.author,
                content=fact.content,
                content_key=fact.content.lower(),
                occurred_at=each.created_at,
                engine=Engine(name="offline", version="bench"),
                evidence=(Evidence(each.id, each.session, each.seq),),
            )


async def with_vectors(
    db: asyncpg.Connection, embedder: EmbedderProcess, drawn: list[ConclusionDerived]
) -> list[Event]:
    events: list[Event] = []
    for start in range(0, len(drawn), AT_ONCE):
        part = drawn[start : start + AT_ONCE]
        vectors = await embedder.embed([each.content for each in part])
        await db.executemany(
            "INSERT INTO log.embedding VALUES ($1, $2, $3, $4)",
            [
                (each.workspace, embedder.model, f"of {each.id}", vector)
                for each, vector in zip(part, vectors, strict=True)
            ],
        )
        events.append(
            EmbeddingRecorded(
                workspace=part[0].workspace,
                session=None,
                model=embedder.model,
                dimensions=embedder.dimensions,
                items=tuple(Embedded("conclusion", e.id, f"of {e.id}") for e in part),
            )
        )
    return events


async def ten(db: asyncpg.Connection, authors: list[str], asked: dict) -> dict:
    """Return the ten best ids by each way of searching."""
    turns = [
        await nearest_conclusions(
            db, ConclusionQuestion(**asked, observer=name, observed=name, limit=TEN)
        )
        for name in authors
    ]
    mixed = await search_conclusions(
        db, ConclusionQuestion(**asked, observer=None, observed=None, limit=TEN)
    )
    taken = [each for turn in zip_longest(*turns) for each in turn if each is not None]
    return {
        "cosine": [each.id for each in taken[:TEN]],
        "hybrid": [each.id for each in mixed],
    }


async def main() -> None:
    if not DATA.exists():
        sys.exit(f"{DATA.name} is not beside this checkout; nothing was measured")
    data = json.loads(DATA.read_text())
    embedder = EmbedderProcess()
    await embedder.start()
    async with fresh_views() as db:
        views = [*PROMPT, *LAGGING]
        await create(db, views)
        rests_on: dict[tuple[str, str], str] = {}
        events: list[Event] = []
        for number, each in enumerate(data):
            said = list(spoken(f"w{number}", each["conversation"]))
            drawn = list(concluded(said))
            rests_on |= {(c.workspace, c.id): c.evidence[0].message for c in drawn}
            events += [*said, *drawn, *(await embedded(db, embedder, said))]
            events += await with_vectors(db, embedder, drawn)
        await fold(db, views, record(events))
        await db.execute("VACUUM ANALYZE")
        recall: dict[str, list[float]] = {"cosine": [], "hybrid": []}
        for number, each in enumerate(data):
            tenant = f"w{number}"
            said = list(spoken(tenant, each["conversation"]))
            known = {one.id for one in said}
            authors = sorted({one.author for one in said})
            for qa in each["qa"]:
                evidence = known & {e.strip() for e in qa.get("evidence") or ()}
                if not evidence:
                    continue
                vector = await embedder.embed_query(qa["question"])
                assert vector is not None
                probe = Probe(vector, embedder.model, embedder.dimensions)
                asked = {"tenant": tenant, "query": qa["question"], "probe": probe}
                for name, ids in (await ten(db, authors, asked)).items():
                    found = {rests_on[tenant, one] for one in ids}
                    recall[name].append(len(evidence & found) / len(evidence))
        print(f"{len(rests_on)} conclusions, {len(recall['cosine'])} questions")
        for name, shares in recall.items():
            print(f"{name}: {100 * fmean(shares):.1f} % of the evidence through ten")
    await embedder.stop()


if __name__ == "__main__":
    asyncio.run(main())
