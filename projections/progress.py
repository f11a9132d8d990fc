"""Progress of reasoning: what was asked for, what is done, and how old the rest is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.derivation import (
    DerivationCompleted,
    DerivationRedriven,
    DerivationRequested,
)
from domain.recorded import Recorded
from domain.session import MessageAdded
from domain.summary import SummaryOmitted, SummaryProduced
from projections.erasable import Erased
from projections.ports import Connection

Key = tuple[str, str]
Work = tuple[str, str, str, str]


class Progress:
    """The tables ``progress`` (work items, RS 1.7) and ``session_progress``.

    A representation item for each message that asked for reasoning, under its author;
    one summary item for a message at which any fell due, under no sender (""), done
    when all are (HC E06), or were not worth making. ``folded`` is the last position
    counted for a session, so that nothing counts twice; ``due`` holds where summaries
    fell due and are not done. Up to ``asked_seq`` nothing is to wait for a gate.
    """

    name = "progress"
    version = 4
    tables = """
        CREATE TABLE progress (
            tenant    text COLLATE "C" NOT NULL,
            session   text COLLATE "C" NOT NULL,
            sender    text COLLATE "C" NOT NULL,
            kind      text COLLATE "C" NOT NULL,
            total     integer NOT NULL,
            completed integer NOT NULL,
            PRIMARY KEY (tenant, session, sender, kind)
        ) WITH (fillfactor = 70);
        CREATE TABLE session_progress (
            tenant            text COLLATE "C" NOT NULL,
            session           text COLLATE "C" NOT NULL,
            last_position     bigint NOT NULL,
            last_seq          integer NOT NULL,
            derived_seq       integer NOT NULL,
            derived_position  bigint NOT NULL,
            asked_seq         integer NOT NULL DEFAULT 0,
            oldest_pending_at timestamptz,
            due               jsonb NOT NULL,
            folded            bigint NOT NULL,
            PRIMARY KEY (tenant, session)
        ) WITH (fillfactor = 70);
    """
    indexes = ""
    handles = (
        MessageAdded,
        DerivationRequested,
        DerivationCompleted,
        DerivationRedriven,
        SummaryProduced,
        SummaryOmitted,
    )
    commutes = True

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        sessions = await _load(db, batch)
        work: dict[Work, list[int]] = {}
        touched: set[Key] = set()
        for recorded in batch:
            event: Any = recorded.event
            key = (event.workspace, event.session)
            standing = sessions.setdefault(key, _Standing())
            if recorded.position > standing.folded:
                standing.folded = recorded.position
                touched.add(key)
                for sender, kind, total, completed in _step(standing, recorded):
                    counts = work.setdefault((*key, sender, kind), [0, 0])
                    counts[0] += total
                    counts[1] += completed
        if touched:
            moved = {key: sessions[key] for key in touched & _derived(batch)}
            await _look_up(db, moved, batch[-1].position)
            await _store(db, {key: sessions[key] for key in touched}, work)

    async def erase(self, db: Connection, erased: Erased) -> None:
        """Take out what counted for a session, or for all of a workspace."""
        if erased.origin is None:
            await db.execute(_ERASE, erased.tenant, erased.session, erased.position)


class _Standing(msgspec.Struct):
    last_position: int = 0
    last_seq: int = 0
    derived_seq: int = 0
    derived_position: int = 0
    oldest_pending_at: datetime | None = None
    due: dict[str, list[int]] = {}
    folded: int = 0
    asked_seq: int = 0


def _step(standing: _Standing, recorded: Recorded) -> list[tuple[str, str, int, int]]:
    """Move a session on; return (sender, kind, items asked for, items done)."""
    match recorded.event:
        case MessageAdded() as event:
            standing.last_position = recorded.position
            standing.last_seq = event.seq
            if event.derive and standing.oldest_pending_at is None:
                standing.oldest_pending_at = recorded.recorded_at
            for kind in event.summaries:
                standing.due.setdefault(kind, []).append(event.seq)
            asked = [("", "summary", 1, 0)] if event.summaries else []
            if event.derive:
                asked.append((event.author, "representation", 1, 0))
            return asked
        case (SummaryProduced() | SummaryOmitted()) as event:
            due = standing.due.get(event.kind, [])
            standing.due[event.kind] = [seq for seq in due if seq > event.to_seq]
            waiting = {seq for kind in standing.due.values() for seq in kind}
            done = len(set(due) - waiting)
            return [("", "summary", 0, done)] if done else []
        case _:
            return _derive(standing, recorded)


def _derive(standing: _Standing, recorded: Recorded) -> list[tuple[str, str, int, int]]:
    """Count what was reasoned about, and take back what is to be once more."""
    match recorded.event:
        case DerivationRequested() as event:
            standing.asked_seq = max(standing.asked_seq, event.through_seq)
            return []
        case DerivationRedriven() as event:
            return _handled(event.handled, -1)
        case DerivationCompleted() as event if event.again:
            return _handled(event.handled, 1)
        case DerivationCompleted() as event if event.last_seq > standing.derived_seq:
            standing.derived_seq = event.last_seq
            return _handled(event.handled, 1)
        case _:
            return []


def _handled(counts: dict[str, int], sign: int) -> list[tuple[str, str, int, int]]:
    return [
        (author, "representation", 0, sign * count) for author, count in counts.items()
    ]


def _derived(batch: Sequence[Recorded]) -> set[Key]:
    return {
        (event.workspace, event.session)
        for recorded in batch
        if isinstance(event := recorded.event, DerivationCompleted)
    }


async def _load(db: Connection, batch: Sequence[Recorded]) -> dict[Key, _Standing]:
    events: list[Any] = [recorded.event for recorded in batch]
    keys = {(event.workspace, event.session) for event in events}
    rows = await db.fetch(_LOAD, *map(list, zip(*keys, strict=True)))
    return {
        (row["tenant"], row["session"]): _Standing(
            row["last_position"],
            row["last_seq"],
            row["derived_seq"],
            row["derived_position"],
            row["oldest_pending_at"],
            msgspec.json.decode(row["due"]),
            row["folded"],
            row["asked_seq"],
        )
        for row in rows
    }


async def _look_up(
    db: Connection, sessions: dict[Key, _Standing], through: int
) -> None:
    """Ask the messages, as far as the batch reaches, where derivation now stands.

    They are in their table already: it is folded before this one.
    """
    if not sessions:
        return
    asked = [(*key, standing.derived_seq) for key, standing in sessions.items()]
    for row in await db.fetch(_LOOK_UP, *map(list, zip(*asked, strict=True)), through):
        standing = sessions[row["tenant"], row["session"]]
        standing.derived_position = row["derived_position"] or 0
        standing.oldest_pending_at = row["oldest_pending_at"]


async def _store(
    db: Connection, sessions: dict[Key, _Standing], work: dict[Work, list[int]]
) -> None:
    standings = [
        (
            *key,
            standing.last_position,
            standing.last_seq,
            standing.derived_seq,
            standing.derived_position,
            standing.oldest_pending_at,
            msgspec.json.encode(standing.due).decode(),
            standing.folded,
            standing.asked_seq,
        )
        for key, standing in sessions.items()
    ]
    counts = [(*key, total, completed) for key, (total, completed) in work.items()]
    await db.execute(
        _STORE,
        *map(list, zip(*standings, strict=True)),
        *(map(list, zip(*counts, strict=True)) if counts else [[]] * 6),
    )


_ERASE = """
    WITH gone AS (
        DELETE FROM session_progress WHERE tenant = $1 AND folded < $3
            AND ($2::text IS NULL OR session = $2) RETURNING tenant, session
    )
    DELETE FROM progress AS p USING gone AS g
    WHERE p.tenant = g.tenant AND p.session = g.session
"""

_LOAD = """
    SELECT p.tenant, p.session, p.last_position, p.last_seq, p.derived_seq,
        p.derived_position, p.oldest_pending_at, p.due, p.folded, p.asked_seq
    FROM unnest($1::text[], $2::text[]) AS g(tenant, session)
    JOIN session_progress AS p ON p.tenant = g.tenant AND p.session = g.session
"""

_LOOK_UP = """
    SELECT g.tenant, g.session,
        (SELECT m.position FROM message AS m
            WHERE m.tenant = g.tenant AND m.session = g.session
                AND m.seq = g.derived_seq) AS derived_position,
        (SELECT m.recorded_at FROM message AS m
            WHERE m.tenant = g.tenant AND m.session = g.session
                AND m.seq > g.derived_seq AND m.derive AND m.position <= $4
            ORDER BY m.seq LIMIT 1) AS oldest_pending_at
    FROM unnest($1::text[], $2::text[], $3::int[]) AS g(tenant, session, derived_seq)
"""

_STORE = """
    WITH standing AS (
        INSERT INTO session_progress (tenant, session, last_position, last_seq,
            derived_seq, derived_position, oldest_pending_at, due, folded, asked_seq)
        SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::int[],
            $5::int[], $6::bigint[], $7::timestamptz[], $8::jsonb[], $9::bigint[],
            $10::int[])
        ON CONFLICT (tenant, session) DO UPDATE SET
            last_position = excluded.last_position, last_seq = excluded.last_seq,
            derived_seq = excluded.derived_seq,
            derived_position = excluded.derived_position,
            oldest_pending_at = excluded.oldest_pending_at,
            due = excluded.due, folded = excluded.folded,
            asked_seq = excluded.asked_seq
    )
    INSERT INTO progress AS p (tenant, session, sender, kind, total, completed)
    SELECT * FROM unnest($11::text[], $12::text[], $13::text[], $14::text[],
                         $15::int[], $16::int[])
    ON CONFLICT (tenant, session, sender, kind) DO UPDATE SET
        total = p.total + excluded.total,
        completed = p.completed + excluded.completed
"""
