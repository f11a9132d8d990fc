"""A unit stays on record; what was said of what is erased does not."""

from domain.conclusion import EVIDENCE_ERASED, ConclusionRetracted
from domain.erasure import SessionErased, WorkspaceErased
from domain.retraction import (
    RetractionRecorded,
    TakenConclusion,
    TakenMessages,
    TakenSummary,
)
from projections.erasable import Erasable
from projections.retractions import Retractions
from tests.support.folding import create, fold
from tests.support.history import record
from tests.support.story import NOON

VIEWS = [Erasable(Retractions())]


def taken(unit, origin, session, workspace="w"):
    conclusion = TakenConclusion(
        id=origin, session=session, holder="ann", observed="ann"
    )
    return RetractionRecorded(
        workspace=workspace,
        unit=unit,
        kind="retract",
        actor="client",
        session=session,
        observed="ann",
        asked=origin,
        note=f"why {unit}",
        conclusions=(conclusion,),
    )


async def notes(db, *events):
    await create(db, VIEWS)
    await fold(db, VIEWS, record(events))
    rows = await db.fetch("SELECT unit, note FROM retraction ORDER BY unit")
    return {row["unit"]: row["note"] for row in rows}


async def test_what_was_said_of_an_erased_session_goes_and_the_act_stays(db):
    gone = SessionErased(workspace="w", session="s", erased_at=NOON, through=2)
    said = taken("u", "c", "s"), taken("v", "d", None), gone, taken("w", "e", "s")
    assert await notes(db, *said) == {"u": None, "v": "why v", "w": "why w"}


async def test_so_does_what_was_said_of_a_conclusion_that_rested_on_it(db):
    gone = ConclusionRetracted(
        workspace="w", session=None, id="d", reason=EVIDENCE_ERASED, actor="erase"
    )
    said = taken("u", "c", "s"), taken("v", "d", None), gone
    assert await notes(db, *said) == {"u": "why u", "v": None}


def quarantined(unit, **took):
    return RetractionRecorded(
        workspace="w",
        unit=unit,
        kind="quarantine",
        actor="client",
        note=f"why {unit}",
        filters={"metadata": {"said": unit}},
        **took,
    )


async def test_nor_is_told_by_what_a_quarantine_selected_what_is_erased(db):
    summary = TakenSummary(id="S", session="s", kind="short")
    drawn = [
        TakenConclusion(id="c", session=session, holder="ann", observed="ann")
        for session in ("s", None)
    ]
    said = (
        quarantined("messages", messages=(TakenMessages(session="s", ids=("m",)),)),
        quarantined("summary", summaries=(summary,)),
        quarantined("drawn", conclusions=(drawn[0],)),
        quarantined("other", messages=(TakenMessages(session="t", ids=("n",)),)),
        quarantined("pair", conclusions=(drawn[1],)),
    )
    gone = SessionErased(workspace="w", session="s", erased_at=NOON, through=2)
    told = await notes(db, *said, gone)
    assert {unit for unit, note in told.items() if note} == {"other", "pair"}
    left = "SELECT unit FROM retraction WHERE filters <> '{}'"
    assert {row["unit"] for row in await db.fetch(left)} == {"other", "pair"}


async def test_a_quarantine_tells_nothing_of_a_conclusion_that_is_erased(db):
    drawn = [
        TakenConclusion(id=each, session=None, holder="ann", observed="ann")
        for each in "cd"
    ]
    said = [quarantined(each.id, conclusions=(each,)) for each in drawn]
    gone = ConclusionRetracted(
        workspace="w", session=None, id="d", reason=EVIDENCE_ERASED, actor="erase"
    )
    assert await notes(db, *said, gone) == {"c": "why c", "d": None}


async def test_an_erased_workspace_keeps_no_record(db):
    gone = WorkspaceErased(workspace="w", erased_at=NOON, through=2)
    said = taken("u", "c", "s"), taken("v", "d", None, "x"), gone
    assert await notes(db, *said) == {"v": "why v"}
