"""As of a position, every read answers as if the log ended there.

Erasure is the exception by design: what is erased is gone from every moment, as if it
had never been. So the positions asked for are those since which nothing was erased;
and a law of its own says what an erasure leaves of the moments before it.
"""

from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.conclusion import EVIDENCE_ERASED, ConclusionDerived, ConclusionRetracted
from domain.embedding import Embedded, EmbeddingRecorded
from domain.erasure import SessionErased, WorkspaceErased
from domain.fork import SessionForked
from domain.message import MessageMetadataChanged
from domain.question import QuestionAnswered
from domain.session import MessageAdded, PeerLeft
from tests.read_api.conftest import MODEL, VIEWS, asking_of, pointing
from tests.support.chronicle import ERASING, KINDS, Chronicle
from tests.support.folding import fold
from tests.support.history import START, record
from tests.support.reads import QUERIES, reads
from tests.support.tables import tables_of

SCHEMAS = ("whole", "part")
KIND = st.one_of(
    st.integers(0, KINDS - 1).filter(lambda kind: kind not in ERASING),
    st.sampled_from((0, 1, 2, 6, 6, 18)),
    st.integers(0, KINDS - 1),
)
HISTORIES = st.lists(
    st.tuples(KIND, st.integers(0, 1), st.integers(0, 2), st.integers(0, 20)),
    min_size=15,
    max_size=50,
)
STAYS = {"/w/retractions", "/w/usage"}
"""What erasing a session leaves: that something was taken back, and what was spent."""

RARE = (MessageMetadataChanged, SessionForked, EmbeddingRecorded, PeerLeft)
PLACES = st.lists(st.floats(0, 1), min_size=3, max_size=3)
TRIES = {
    "deadline": None,
    "phases": [Phase.reuse, Phase.generate],  # to shrink a history takes minutes
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


@pytest.fixture
async def both(database):
    """The questions of two databases: of a whole history, and of its beginning."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(asking_of(database, schema=schema))
            for schema in SCHEMAS
        ]


async def empty(asking, schema):
    """Forget everything; collections of vectors are gone, as before the first."""
    async with asking.pool.acquire() as db:
        made = await db.fetch("SELECT name FROM vector_collection")
        for row in made:
            await db.execute(f"DROP TABLE {row['name']}")
        tables = await tables_of(db, schema)
        await db.execute(";".join(f'DELETE FROM "{table}"' for table in tables))  # noqa: S608
    asking.views.position = 0
    asking.log.events.clear()


def embedded(events, places):
    """Let vectors come at these places, of what was said or concluded before."""
    told = list(events)
    for place in sorted(places, reverse=True):
        upto = int(place * len(told))
        items = [
            Embedded(
                "message" if isinstance(e, MessageAdded) else "conclusion", e.id, e.id
            )
            for e in told[max(0, upto - 25) : upto]
            if isinstance(e, MessageAdded | ConclusionDerived)
        ]
        if items:
            told.insert(
                upto,
                EmbeddingRecorded(
                    workspace="w",
                    session=None,
                    model=MODEL,
                    dimensions=2,
                    items=tuple(items),
                ),
            )
    return told


async def store_vectors(asking, events):
    ids = [e.id for e in events if isinstance(e, MessageAdded | ConclusionDerived)]
    await asking.pool.execute("TRUNCATE log.embedding")
    await asking.pool.executemany(
        "INSERT INTO log.embedding VALUES ($1, $2, $3, $4)",
        [("w", MODEL, id_, pointing(37 * n % 180)) for n, id_ in enumerate(ids)],
    )


def erased_until(events):
    """The position since which nothing is erased."""
    return max(
        (
            position
            for position, event in enumerate(events, start=1)
            if isinstance(event, SessionErased | WorkspaceErased)
            or (
                isinstance(event, ConclusionRetracted)
                and event.reason == EVIDENCE_ERASED
            )
        ),
        default=0,
    )


def moments(events, places):
    """Positions anywhere, and one where something rare has happened, or not yet."""
    first = erased_until(events)
    found = [first + int(place * (len(events) - first)) for place in places]
    rare = [
        position - number % 2
        for number, (position, event) in enumerate(
            (at, each) for at, each in enumerate(events, 1) if isinstance(each, RARE)
        )
        if position > first
    ]
    if rare:
        found[-1] = rare[int(places[0] * (len(rare) - 1))]
    return sorted(found)


async def asked(asking, read, **query):
    path, body, own = read
    if body is None:
        found = await asking.get(path, **own, **query)
    else:
        found = await asking.post(path, body, **own, **query)
    assert found.status_code in {200, 404}, (read, found.text)
    shown = found.json()
    return found.status_code, shown, found.headers.get("x-position")


async def holds(both, choices, places):
    """Fold a history, and its beginning to some positions; compare every read."""
    whole, part = both
    for asking, schema in zip(both, SCHEMAS, strict=True):
        await empty(asking, schema)
        asking.embedder.angles = {QUERIES[0]: 20, QUERIES[1]: 75}
    events = embedded(Chronicle().happen(choices), places)
    await store_vectors(whole, events)
    await whole.happened(*events)
    for position in moments(events, places):
        await part.happened(*events[part.views.position : position])
        ids = [
            [e.id for e in events if isinstance(e, kind)][-8::2]
            for kind in (MessageAdded, ConclusionDerived)
        ]
        answers = [e.id for e in events if isinstance(e, QuestionAnswered)]
        for read in reads(*ids, ("u0", "u1"), answers[-3:]):
            then = await asked(whole, read, as_of=position)
            assert then == await asked(part, read), (position, read)


async def is_gone(both, choices, places):
    """Erase a session at the end; compare with a history in which it never was."""
    erased, without = both
    for asking, schema in zip(both, SCHEMAS, strict=True):
        await empty(asking, schema)
        asking.embedder.angles = {QUERIES[0]: 20, QUERIES[1]: 75}
    story = Chronicle().happen(each for each in choices if each[0] not in ERASING)
    through = len(story)
    story.append(
        SessionErased(workspace="w", session="s", erased_at=START, through=through)
    )
    events = embedded(story, places)
    await store_vectors(erased, events)
    await erased.happened(*events)
    others = [r for r in record(events) if getattr(r.event, "session", None) != "s"]
    async with without.pool.acquire() as db:
        await fold(db, VIEWS, others)
    without.views.position = len(events)
    ids = [e.id for e in events if isinstance(e, MessageAdded | ConclusionDerived)]
    for position in sorted(int(place * len(events)) for place in places):
        for read in reads([i for i in ids if i[0] in "st"][::3], ids[::3]):
            if read[0] in STAYS:
                continue
            gone = await asked(erased, read, as_of=position)
            assert gone == await asked(without, read, as_of=position), (position, read)


@settings(max_examples=3, **TRIES)
@given(choices=HISTORIES, places=PLACES)
async def test_what_is_erased_was_never_there_at_any_moment(both, choices, places):
    await is_gone(both, choices, places)


@settings(max_examples=6, **TRIES)
@given(choices=HISTORIES, places=PLACES)
async def test_as_of_a_position_is_what_was_folded_to_it(both, choices, places):
    await holds(both, choices, places)


@pytest.mark.long
@settings(max_examples=60, **TRIES)
@given(choices=HISTORIES, places=PLACES)
async def test_both_hold_for_many_histories(both, choices, places):
    await holds(both, choices, places)
    await is_gone(both, choices, places)
