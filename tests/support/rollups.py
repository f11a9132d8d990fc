"""Roll-ups for tests: rows as the topic has them, and everything counted once more."""

import itertools
from collections import Counter, defaultdict
from datetime import UTC, timedelta
from uuid import UUID

import msgspec

from domain.call import LLMCallRecorded
from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReinstated,
    ConclusionRetracted,
)
from domain.derivation import DerivationCompleted, DerivationFailed
from domain.dream import DreamCompleted
from domain.erasure import SessionErased, WorkspaceErased
from domain.event import tag_of
from domain.question import QuestionAnswered
from domain.session import MessageAdded
from domain.summary import SummaryProduced
from infra.analytics.tables import ROLL_UPS
from infra.codec.shape import Shape, with_seal
from infra.postgres.stored_row import StoredRow
from tests.support.chronicle import Chronicle
from tests.support.history import START

KEPT = ("waiting", "level", "changed")


def history(one, other):
    """What happened in two workspaces, one's events between the other's."""
    first = Chronicle().happen(one)
    second = [
        msgspec.structs.replace(each, workspace="v")
        for each in Chronicle().happen(other)
    ]
    pairs = itertools.zip_longest(first, second)
    return [each for pair in pairs for each in pair if each is not None]


def stored(events, *, content="sealed", pace=timedelta(hours=5)):
    """Return events as rows of a topic, one ``pace`` after the other."""
    return [
        StoredRow(
            position=position,
            recorded_at=START + position * pace,
            id=UUID(int=position),
            version=position,
            shard=0,
            stream=f"session-{event.workspace}+s",
            tenant=event.workspace,
            type=tag_of(event),
            meta=b"{}",
            data=_data(event, content),
        )
        for position, event in enumerate(events, start=1)
    ]


def _data(event, content):
    split = Shape(type(event)).split(event)
    if split.personal is None:
        return split.clear
    if content == "sealed":
        return with_seal(split.clear, 7, b"nobody reads this")
    return split.clear[:-1] + b"," + split.personal[1:]


async def tables(pool):
    """Return all that is counted and kept, table by table."""
    found = {}
    for name in (*(each.name for each in ROLL_UPS), *KEPT):
        rows = await pool.fetch(f"SELECT * FROM analytics.{name}")  # noqa: S608  ours
        found[name] = sorted(tuple(row.items()) for row in rows)
    return found


async def counted(pool):
    """Return the roll-ups by key, what is 0 left out."""
    found = {}
    for table in ROLL_UPS:
        keys = [name for name, _ in table.keys]
        rows = await pool.fetch(f"SELECT * FROM analytics.{table.name}")  # noqa: S608  ours
        for row in rows:
            counts = {column: row[column] for column in table.counts if row[column]}
            found[table.name, *(row[key] for key in keys)] = counts
    return {key: counts for key, counts in found.items() if counts}


def recounted(records):
    """Count recorded events the plain way: (event, when it was recorded), in order."""
    records = list(records)
    begun = {}
    for number, (event, _) in enumerate(records):
        if isinstance(event, WorkspaceErased):
            begun[event.workspace] = number
    found = defaultdict(Counter)
    for workspace in {event.workspace for event, _ in records}:
        first = begun.get(workspace, -1) + 1
        own = [each for each in records[first:] if each[0].workspace == workspace]
        _recount(workspace, own, found)
    return {key: dict(+counts) for key, counts in found.items() if +counts}


def _recount(workspace, records, found):  # noqa: C901, PLR0912, PLR0915  one case for each kind
    levels, waiting = {}, {}
    for event, at in records:
        day = at.astimezone(UTC).date()
        activity = found["activity", workspace, day]
        match event:
            case MessageAdded(copy_of=None):
                activity["messages"] += 1
                activity["message_tokens"] += event.tokens
                found["active_peer", workspace, day, event.author]["messages"] += 1
                if event.derive:
                    waiting[event.session, event.seq] = at
            case MessageAdded():
                activity["copies"] += 1
            case ConclusionDerived():
                levels[event.id] = (event.level, event.session)
                found["conclusions", workspace, day, event.level]["derived"] += 1
            case (
                ConclusionReinforced() | ConclusionRetracted() | ConclusionReinstated()
            ):
                what = tag_of(event).removeprefix("conclusion-")
                what = "reinforced" if what == "reworded" else what
                level = levels.get(event.id, ("unknown", None))[0]
                found["conclusions", workspace, day, level][what] += 1
            case DerivationCompleted():
                activity["derivations"] += 1
                for seq in range(event.first_seq, event.last_seq + 1):
                    since = waiting.pop((event.session, seq), None)
                    if since and event.reason == "no-usable-answer":
                        activity["messages_passed_over"] += 1
                    elif since:
                        took = round((at - since).total_seconds() * 1_000_000)
                        activity["messages_derived"] += 1
                        activity["derivation_micros"] += took
                        activity["derivation_micros_longest"] = max(
                            took, activity["derivation_micros_longest"]
                        )
                        doubling = len(f"{took // 1000:b}") if took >= 1000 else 0
                        found["latency", workspace, day, doubling]["messages"] += 1
            case DerivationFailed():
                activity["derivations_failed"] += 1
            case SummaryProduced():
                activity["summaries"] += 1
            case QuestionAnswered():
                activity["questions"] += 1
            case DreamCompleted():
                activity["dreams"] += 1
            case LLMCallRecorded():
                row = found["models", workspace, day, event.transport, event.model]
                row["calls"] += 1
                row["failed"] += event.outcome != "answered"
                row["requests"] += event.call.attempts
                row["cost_micros"] += event.call.cost_usd_micros or 0
                row["unpriced"] += event.call.cost_usd_micros is None
                for name in ("input", "output", "cached"):
                    row[name] += event.usage.get(name, 0)
            case SessionErased():
                waiting = {k: at for k, at in waiting.items() if k[0] != event.session}
                levels = {
                    k: level for k, level in levels.items() if level[1] != event.session
                }
            case _:
                pass
