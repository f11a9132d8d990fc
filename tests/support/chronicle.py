"""Histories of one small workspace, made from arbitrary choices."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from domain.conclusion import (
    EVIDENCE_ERASED,
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReinstated,
    ConclusionRetracted,
    Evidence,
)
from domain.derivation import DerivationCompleted, DerivationFailed
from domain.erasure import SessionErased, WorkspaceErased
from domain.event import Engine, Event
from domain.peer import PeerConfigured, PeerCreated
from domain.retraction import (
    RetractionExtended,
    RetractionRecorded,
    RetractionUndone,
    TakenConclusion,
)
from domain.scope import (
    ScopeCreated,
    SessionAddedToScope,
    SessionRemovedFromScope,
    peer_of_scope,
)
from domain.session import (
    MessageAdded,
    PeerJoined,
    PeerLeft,
    PeerRoleChanged,
    SessionConfigured,
    SessionCreated,
)
from domain.summary import SummaryProduced, SummaryReinstated, SummaryRetracted
from domain.withholding import MessagesRestored, MessagesWithheld
from domain.workspace import WorkspaceConfigured, WorkspaceCreated
from tests.support.call_history import call_events
from tests.support.card_history import card_event
from tests.support.dream_history import dream_events
from tests.support.history import START
from tests.support.lineage_history import built_events
from tests.support.message_history import message_events
from tests.support.webhook_history import webhook_events

PEERS = ("alice", "bob", "carol")
SESSIONS = ("s", "t")
SCOPES = ("x", "y")
CONTENTS = ("I like tea", "we were running", "犬 😀", "")
ENGINE = Engine(name="offline", version="1")
KINDS = 26
REPEATED = 7
ERASING = (15, 16)
HOOKS = 17
AFTERWARDS = 18
DREAMS = 19
TAKING_BACK = (20, 21)
QUARANTINE = (23, 24)
UNITS = 5
BUILDING = 22
CALLING = 25

Choice = tuple[int, int, int, int]
"""What happens, in which session, to which peer, and a number to vary it by."""


@dataclass
class Chronicle:
    """Turns choices into events that a log could hold, in that order."""

    events: list[Event] = field(default_factory=list)
    said: dict[str, list[MessageAdded]] = field(
        default_factory=lambda: defaultdict(list)
    )
    derived: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    concluded: list[ConclusionDerived] = field(default_factory=list)
    summed: list[SummaryProduced] = field(default_factory=list)
    known: set[object] = field(default_factory=set)

    def happen(self, choices: Iterable[Choice]) -> list[Event]:
        for choice in choices:
            self.once("w", WorkspaceCreated(workspace="w", uid="w", created_at=START))
            step = self.erase if choice[0] in ERASING else self.choose
            if choice[0] == HOOKS:
                step = self.hook
            if choice[0] == AFTERWARDS:
                step = self.afterwards
            if choice[0] == DREAMS:
                step = self.dream
            if choice[0] == CALLING:
                step = self.call
            if choice[0] == BUILDING:
                step = self.build
            if choice[0] in TAKING_BACK and self.concluded:
                step = self.take_back
            if choice[0] in QUARANTINE:
                step = self.quarantine
            step(*choice)
        return self.events

    def hook(self, _kind: int, where: int, _who: int, number: int) -> None:
        session, count = SESSIONS[where % 2], len(self.events)
        self.events.extend(webhook_events(session, number, count))

    def afterwards(self, _kind: int, where: int, _who: int, number: int) -> None:
        session = SESSIONS[where % 2]
        self.events.extend(message_events(session, self.said[session], number))

    def dream(self, _kind: int, _where: int, who: int, number: int) -> None:
        self.events.extend(dream_events(PEERS[who % 3], number, self.events))

    def call(self, _kind: int, where: int, who: int, number: int) -> None:
        place = (SESSIONS[where % 2], PEERS[who % 3])
        self.events.extend(call_events(*place, number, self.events))

    def build(self, _kind: int, where: int, _who: int, number: int) -> None:
        session = SESSIONS[where % 2]
        built = built_events(session, number, self.events, self.said[session])
        self.events.extend(built)

    def once(self, key: object, event: Event) -> None:
        if key not in self.known:
            self.known.add(key)
            self.events.append(event)

    def choose(self, kind: int, where: int, who: int, number: int) -> None:
        session, peer = SESSIONS[where % 2], PEERS[who % 3]
        self.once(("s", session), _opened(session))
        self.once(("p", peer), _created(peer))
        match kind % KINDS:
            case 0 | 1 | 2:
                self.say(session, peer, number)
            case 3 | 5:
                take_part = {3: _joined, 5: _role}[kind % KINDS]
                self.events.append(take_part(session, peer, number))
            case 4:
                self.events.append(
                    PeerLeft(workspace="w", session=session, peer=peer, left_at=START)
                )
            case 6:
                self.conclude(session, number)
            case 7 | 11 if self.concluded:
                follow = self.repeat if kind % KINDS == REPEATED else self.retract
                follow(self.concluded[number % len(self.concluded)], peer, number)
            case 8:
                self.complete(session, number)
            case 9:
                self.sum_up(session, number)
            case 10:
                about = PEERS[number % 3]
                known = (self.events, self.concluded)
                self.events.append(card_event(peer, about, number, *known))
            case 12 | 13:
                self.enter(session, number)
            case _:
                self.events.extend(_configured(session, peer, number))

    def say(self, session: str, peer: str, number: int) -> None:
        seq = len(self.said[session]) + 1
        event = MessageAdded(
            workspace="w",
            session=session,
            id=f"{session}-{len(self.events)}",
            seq=seq,
            author=peer,
            created_at=START + timedelta(hours=number),
            tokens=number,
            content=CONTENTS[number % 4],
            metadata={"n": number} if number % 2 else {},
            derive=number % 5 != 0,
            copy_of="copied" if number % 7 == 0 else None,
            received_at=START if number % 2 else None,
            summaries=("short",) if seq % 3 == 0 else (),
        )
        self.said[session].append(event)
        self.events.append(event)

    def conclude(self, session: str, number: int) -> None:
        if not self.said[session]:
            return
        message = self.said[session][number % len(self.said[session])]
        event = ConclusionDerived(
            workspace="w",
            session=session,
            id=f"c{len(self.events)}",
            observed=message.author,
            content=f"{message.author} likes {number}",
            content_key="",
            occurred_at=message.created_at,
            engine=ENGINE,
            observer=_observer(message.author, number),
            evidence=(Evidence(message.id, session, message.seq),),
        )
        self.concluded.append(event)
        self.events.append(event)

    def repeat(self, first: ConclusionDerived, _peer: str, number: int) -> None:
        said = self.said[str(first.session)]
        message = said[number % len(said)]
        self.events.append(
            ConclusionReinforced(
                workspace="w",
                session=first.session,
                id=first.id,
                observed=first.observed,
                occurred_at=message.created_at,
                engine=ENGINE,
                evidence=(Evidence(message.id, str(first.session), message.seq),),
            )
        )

    def retract(self, first: ConclusionDerived, peer: str, number: int) -> None:
        self.events.append(
            ConclusionRetracted(
                workspace="w",
                session=first.session,
                id=first.id,
                observer=peer if number % 6 else None,
                reason="deleted",
                actor="client",
            )
        )

    def take_back(self, kind: int, _where: int, who: int, number: int) -> None:
        """Retract some with a unit, or reinstate what a unit took, if it took it."""
        unit = f"u{number % UNITS}"
        self.events.append(_unit(unit, self.concluded[-1], kind, number))
        for each in self.concluded[number % 3 :: 2]:
            named = {"session": each.session, "id": each.id, "unit": unit}
            observer = PEERS[who % 3] if number % 4 == 0 else None
            event = ConclusionReinstated if kind % 2 else ConclusionRetracted
            self.events.append(
                event(
                    workspace="w",
                    observer=observer,
                    reason="asked",
                    actor="client",
                    **named,
                )
            )

    def quarantine(self, kind: int, where: int, who: int, number: int) -> None:
        """Withhold messages and a summary with a unit, or let them come back."""
        session, unit = SESSIONS[where % 2], f"u{number % UNITS}"
        act = {"workspace": "w", "session": session, "unit": unit}
        act |= {"reason": "asked", "actor": "client"}
        some = tuple(each.id for each in self.said[session][who :: number % 3 + 1])
        summed = [each for each in self.summed if each.session == session]
        if kind % 2:
            self.events.append(MessagesRestored(**act, messages=some))
            self.events += [
                SummaryReinstated(**act, id=each.id, kind="short", to_seq=each.to_seq)
                for each in summed[who : who + 1]
            ]
            return
        self.events.append(MessagesWithheld(**act, messages=some))
        fallback = summed[number % len(summed)].id if summed and number % 2 else None
        self.events += [
            SummaryRetracted(**act, id=each.id, kind="short", fallback=fallback)
            for each in summed[-1 - who :]
        ]

    def erase(self, _kind: int, where: int, _who: int, number: int) -> None:
        """Erase a session, and maybe a conclusion that rested on nothing else."""
        session = SESSIONS[where % 2]
        if number % 8 == 0:
            self.erase_all()
            return
        others = [each for each in self.concluded if each.session != session]
        if others and number % 3 == 0:
            gone = others.pop(number % len(others))
            self.events.append(
                ConclusionRetracted(
                    workspace="w",
                    session=gone.session,
                    id=gone.id,
                    reason=EVIDENCE_ERASED,
                    actor="erase_session",
                )
            )
        self.concluded = others
        self.said.pop(session, None)
        self.derived.pop(session, None)
        self.known.discard(("s", session))
        through = len(self.events)
        self.events.append(
            SessionErased(
                workspace="w", session=session, erased_at=START, through=through
            )
        )

    def erase_all(self) -> None:
        for each in (self.concluded, self.said, self.derived, self.known, self.summed):
            each.clear()
        through = len(self.events)
        self.events.append(
            WorkspaceErased(workspace="w", erased_at=START, through=through)
        )

    def complete(self, session: str, number: int) -> None:
        """Derive what is fresh, in vain perhaps, or to no use."""
        fresh = self.said[session][self.derived[session] :]
        if not fresh:
            return
        if number % 3 == 1:
            self.events.append(_failed(session, fresh, number))
            return
        handled: dict[str, int] = defaultdict(int)
        for each in fresh:
            handled[each.author] += each.derive
        self.derived[session] = fresh[-1].seq
        self.events.append(
            DerivationCompleted(
                workspace="w",
                session=session,
                first_seq=fresh[0].seq,
                last_seq=fresh[-1].seq,
                handled=dict(handled),
                conclusions=(),
                engine=ENGINE,
                derivation=f"d{len(self.events)}",
                reason="no-usable-answer" if number % 3 == 2 else None,
            )
        )

    def enter(self, session: str, number: int) -> None:
        """Let a session into a scope, again perhaps, or out, where it may not be."""
        scope = SCOPES[number % 2]
        self.once(("scope", scope), _scope(scope))
        if number % 3:
            self.events.append(
                SessionAddedToScope(
                    workspace="w", session=session, scope=scope, joined_at=START
                )
            )
        else:
            self.events.append(
                SessionRemovedFromScope(
                    workspace="w", session=session, scope=scope, left_at=START
                )
            )

    def sum_up(self, session: str, number: int) -> None:
        event = SummaryProduced(
            workspace="w",
            session=session,
            id=f"{session}{number}{len(self.events)}",
            kind="short",
            from_seq=1,
            to_seq=len(self.said[session]),
            message="m",
            content=f"summary {number}",
            tokens=number,
            created_at=START,
            engine=ENGINE,
        )
        self.summed.append(event)
        self.events.append(event)


def _failed(session: str, fresh: list[MessageAdded], number: int) -> DerivationFailed:
    return DerivationFailed(
        workspace="w",
        session=session,
        first_seq=fresh[0].seq,
        last_seq=fresh[-1].seq,
        attempt=1 + number % 2,
        error="malformed",
        engine=ENGINE,
        parked=number % 2 == 0,
    )


def _unit(unit: str, of: ConclusionDerived, kind: int, number: int) -> Event:
    taken = TakenConclusion(
        id=of.id,
        session=of.session,
        holder=of.observed,
        observed=of.observed,
    )
    if kind % 2:
        return RetractionUndone(workspace="w", unit=unit, actor="client")
    if number % 4 == 1:
        return RetractionExtended(workspace="w", unit=unit, conclusions=(taken,))
    return RetractionRecorded(
        workspace="w",
        unit=unit,
        kind="retract",
        actor="client",
        session=of.session,
        observed=of.observed,
        asked=of.id,
        note=f"because of {number}",
        filters={"n": number},
        conclusions=(taken,),
    )


def _opened(session: str) -> SessionCreated:
    return SessionCreated(
        workspace="w", session=session, uid=f"u-{session}", created_at=START
    )


def _created(peer: str) -> PeerCreated:
    return PeerCreated(workspace="w", peer=peer, uid=f"u-{peer}", created_at=START)


def _observer(observed: str, number: int) -> str | None:
    """Name one observer, now and then; all who heard otherwise."""
    return {0: "carol", 3: "scope.x", 5: observed}.get(number % 7)


def _scope(scope: str) -> ScopeCreated:
    return ScopeCreated(
        workspace="w", peer=peer_of_scope(scope), uid=f"u-{scope}", created_at=START
    )


def _joined(session: str, peer: str, number: int) -> PeerJoined:
    return PeerJoined(
        workspace="w",
        session=session,
        peer=peer,
        joined_at=START + timedelta(days=number),
        observe_others=[True, False, None][number % 3],
    )


def _role(session: str, peer: str, number: int) -> PeerRoleChanged:
    return PeerRoleChanged(
        workspace="w", session=session, peer=peer, observe_others=number % 2 == 0
    )


def _configured(session: str, peer: str, number: int) -> list[Event]:
    return [
        WorkspaceConfigured(
            workspace="w", metadata={"n": number}, configuration={"m": number}
        ),
        PeerConfigured(
            workspace="w", peer=peer, metadata={}, configuration={"n": number}
        ),
        SessionConfigured(
            workspace="w", session=session, metadata={"n": number}, configuration={}
        ),
    ]
