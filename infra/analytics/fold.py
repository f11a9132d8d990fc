"""Facts in, changes of the roll-ups out: pure, and the same however they are cut.

What a fact means may depend on earlier ones: ``Known`` holds what is needed of those.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec

from infra.analytics.facts import (
    Called,
    Concluded,
    Derived,
    Fact,
    InSession,
    Named,
    Said,
)
from infra.analytics.tables import (
    ACTIVE_PEER,
    ACTIVITY,
    CONCLUSIONS,
    LATENCY,
    MODELS,
    ROLL_UPS,
    RollUp,
)
from projections.columns import as_text

Key = tuple[Any, ...]

UNKNOWN: Final = "unknown"
"""The level of a conclusion that went with its session and is named once more."""

_MICROSECOND: Final = timedelta(microseconds=1)
_HAPPENED: Final = {
    "derivation-failed": "derivations_failed",
    "summary-produced": "summaries",
    "question-answered": "questions",
    "dream-completed": "dreams",
}
_LATER: Final = {
    "conclusion-reinforced": "reinforced",
    "conclusion-reworded": "reinforced",
    "conclusion-retracted": "retracted",
    "conclusion-reinstated": "reinstated",
}


class Level(msgspec.Struct, frozen=True):
    """Of a conclusion, and the session it goes with, None if with none."""

    level: str
    session: str | None


class Known(msgspec.Struct):
    """What facts may name: by workspace and id, or workspace, session and number."""

    levels: dict[tuple[str, str], Level] = {}
    waiting: dict[tuple[str, str, int], datetime] = {}


class Changes:
    """What a run of facts comes to; erasures go before all that is added.

    ``counts`` are by table, key and column; ``days`` tells the last position that
    changed a day; ``workspaces`` and ``sessions`` are those that were erased, the
    former with where they first were: what was counted before went there.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.counts: dict[str, dict[Key, dict[str, int]]] = {
            table.name: defaultdict(lambda: defaultdict(int)) for table in ROLL_UPS
        }
        self.days: dict[date, int] = {}
        self.workspaces: dict[str, int] = {}
        self.sessions: set[tuple[str, str]] = set()
        self.derived: set[tuple[str, str, int]] = set()
        self.new = Known()

    def fold(self, facts: Iterable[Fact]) -> None:
        """Take in facts in the order of their positions."""
        for fact in facts:
            match fact.told:
                case Said():
                    self._say(fact, fact.told)
                case Concluded():
                    self._conclude(fact, fact.told)
                case Named():
                    named = (fact.workspace, as_text(fact.told.id))
                    known = self.known.levels.get(named)
                    level = UNKNOWN if known is None else known.level
                    self._add(CONCLUSIONS, fact, (level,), **{_LATER[fact.type]: 1})
                case Derived():
                    self._derive(fact, fact.told)
                case Called():
                    self._call(fact, fact.told)
                case InSession():
                    self._forget(fact.workspace, fact.told.session)
                    self.sessions.add((fact.workspace, fact.told.session))
                case _ if fact.type == "workspace-erased":
                    self._erase(fact)
                case _:
                    self._add(ACTIVITY, fact, (), **{_HAPPENED[fact.type]: 1})

    def _add(self, table: RollUp, fact: Fact, by: Key, **amounts: int) -> None:
        place = (fact.workspace, fact.day)
        self.days[fact.day] = fact.position
        _ = self.counts[ACTIVITY.name][place]
        row = self.counts[table.name][(*place, *by)]
        for column, amount in amounts.items():
            if column in table.highest:
                row[column] = max(row[column], amount)
            else:
                row[column] += amount

    def _say(self, fact: Fact, said: Said) -> None:
        if said.copy_of is not None:
            self._add(ACTIVITY, fact, (), copies=1)
            return
        self._add(ACTIVITY, fact, (), messages=1, message_tokens=said.tokens)
        self._add(ACTIVE_PEER, fact, (as_text(said.author),), messages=1)
        if said.derive:
            waits = (fact.workspace, said.session, said.seq)
            self.known.waiting[waits] = self.new.waiting[waits] = fact.at

    def _conclude(self, fact: Fact, told: Concluded) -> None:
        level = Level(as_text(told.level), told.session)
        named = (fact.workspace, as_text(told.id))
        self.known.levels[named] = self.new.levels[named] = level
        self._add(CONCLUSIONS, fact, (level.level,), derived=1)

    def _derive(self, fact: Fact, told: Derived) -> None:
        """End the waiting of these messages; what is passed over was not derived."""
        self._add(ACTIVITY, fact, (), derivations=1)
        for seq in range(told.first_seq, told.last_seq + 1):
            waited = (fact.workspace, told.session, seq)
            since = self.known.waiting.pop(waited, None)
            if since is None:
                continue
            self.new.waiting.pop(waited, None)
            self.derived.add(waited)
            if told.reason == "no-usable-answer":
                self._add(ACTIVITY, fact, (), messages_passed_over=1)
                continue
            micros = (fact.at - since) // _MICROSECOND
            self._add(
                ACTIVITY,
                fact,
                (),
                messages_derived=1,
                derivation_micros=micros,
                derivation_micros_longest=micros,
            )
            doubling = (micros // 1_000).bit_length()
            self._add(LATENCY, fact, (doubling,), messages=1)

    def _call(self, fact: Fact, called: Called) -> None:
        self._add(
            MODELS,
            fact,
            (as_text(called.transport), as_text(called.model)),
            calls=1,
            failed=int(called.outcome != "answered"),
            requests=called.call.attempts,
            cost_micros=called.call.cost_usd_micros or 0,
            unpriced=int(called.call.cost_usd_micros is None),
            **{
                name: called.usage.get(name, 0)
                for name in ("input", "output", "cached")
            },
        )

    def _erase(self, fact: Fact) -> None:
        self.workspaces.setdefault(fact.workspace, fact.position)
        for rows in self.counts.values():
            for key in [key for key in rows if key[0] == fact.workspace]:
                self.days[key[1]] = fact.position
                del rows[key]
        self._forget(fact.workspace, None)

    def _forget(self, workspace: str, session: str | None) -> None:
        """Forget what was only kept to be named; without a session, the workspace's."""
        for known in (self.known, self.new):
            for named, level in list(known.levels.items()):
                if named[0] == workspace and session in (None, level.session):
                    del known.levels[named]
            for waits in list(known.waiting):
                if waits[0] == workspace and session in (None, waits[1]):
                    del known.waiting[waits]
