"""How lineage looks on the wire: beyond the contract, so these words are ours."""

from datetime import datetime

import msgspec

from domain.event import EVERYONE, Engine
from projections.answers import Answer
from projections.derivations import Derivation
from projections.grounds import Ground
from projections.lives import Lived
from projections.quotes import Quoted
from projections.summaries import Covering


class LineageConclusion(msgspec.Struct, frozen=True, kw_only=True):
    """A conclusion in a lineage, as it last stood.

    ``origin_id`` is the id it was derived under, which another observer's leads to.
    ``depth`` counts the steps from what was asked about. ``holds`` is whether its
    observer holds it, of a premise whether anybody does. ``message_ids`` are the first
    of ``messages_total`` messages it rests on; ``source_ids`` conclusions it was built
    on; ``derivation_id`` names one of the lineage's derivations.
    """

    id: str
    origin_id: str
    depth: int
    content: str
    level: str
    observer_id: str
    observed_id: str
    session_id: str | None
    created_at: datetime
    occurred_at: datetime
    times_derived: int
    holds: bool
    source_ids: list[str]
    message_ids: list[str]
    messages_total: int
    derivation_id: str | None


class QuotedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What was said, by whom and when; ``truncated`` if there is more of it.

    ``seq`` is its number in the session, ``position`` its place in the log.
    """

    id: str
    session_id: str
    seq: int
    peer_id: str
    created_at: datetime
    position: int
    content: str
    truncated: bool


class DerivationShown(msgspec.Struct, frozen=True, kw_only=True):
    """How something was derived, as it was recorded then.

    ``engine`` is ``offline``, ``client`` or a transport. What it read are the messages
    ``first_seq`` to ``last_seq`` of a session; the positions are theirs. ``requests``
    counts what was sent, ``attempt`` the tries that were recorded, each None where
    nobody noted it; ``latency_ms`` is measured, ``cost_usd`` at the prices set then.
    ``refused`` facts and ``invented`` premises rested on nothing. ``run`` is the dream
    it was inferred in. ``call_ids`` are
    those its calls of a model are recorded under.
    """

    id: str | None
    kind: str
    engine: str
    version: str
    model: str | None
    parameters: dict[str, str]
    prompt: str | None
    prompt_version: str | None
    prompt_hash: str | None
    session_id: str | None
    first_seq: int | None
    last_seq: int | None
    first_position: int | None
    last_position: int | None
    usage: dict[str, int]
    cost_usd: float | None
    latency_ms: float | None
    requests: int | None
    attempt: int | None
    reason: str | None
    refused: int
    invented: int
    generation: int
    recorded_at: datetime
    position: int
    run: str | None = None
    call_ids: tuple[str, ...] = ()


class LifeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a conclusion.

    ``what`` is ``derived``, ``reinforced``, ``superseded``, ``retracted`` or
    ``reinstated``; ``observer_id`` for whom, None for all who heard. ``messages``
    counts what it cited then; ``unit`` is the act it belongs to, of which its author
    said ``note``; ``because_id`` a conclusion that fell and took it along.
    """

    position: int
    at: datetime
    what: str
    observer_id: str | None
    messages: int
    derivation_id: str | None
    reason: str | None
    actor: str | None
    unit: str | None
    note: str | None
    because_id: str | None
    superseded_by: str | None


class CoveringSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A summary that covers a message; ``is_current`` if it is its kind's newest."""

    id: str
    session_id: str
    summary_type: str
    first_seq: int
    last_seq: int
    created_at: datetime
    is_current: bool


class CitingAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that cites what the lineage is of, or what was built on it.

    Who asked, about whom and when; what was said is not kept here: it has a key to
    itself. ``peer_id`` and ``target_id`` are None where all of a workspace was asked.
    """

    id: str
    peer_id: str | None
    target_id: str | None
    session_id: str | None
    level: str
    as_of: int
    answered_at: datetime
    position: int
    cited_ids: list[str]


def conclusion_shown(
    ground: Ground, depth: int, derivation: str | None, *, holds: bool
) -> LineageConclusion:
    """Show a conclusion of a walk, and how it came to be."""
    return LineageConclusion(
        id=ground.id,
        origin_id=ground.origin,
        depth=depth,
        content=ground.content,
        level=ground.level,
        observer_id=ground.observer,
        observed_id=ground.observed,
        session_id=ground.session,
        created_at=ground.created_at,
        occurred_at=ground.occurred_at,
        times_derived=ground.times_derived,
        holds=holds,
        source_ids=ground.sources,
        message_ids=ground.messages,
        messages_total=ground.cites,
        derivation_id=derivation,
    )


def message_shown(quoted: Quoted) -> QuotedMessage:
    """Show a message, or its beginning."""
    return QuotedMessage(
        id=quoted.id,
        session_id=quoted.session,
        seq=quoted.seq,
        peer_id=quoted.peer,
        created_at=quoted.created_at,
        position=quoted.position,
        content=quoted.content,
        truncated=quoted.length > len(quoted.content),
    )


def derivation_shown(derivation: Derivation) -> DerivationShown:
    """Show a derivation that was recorded as such."""
    return _made(derivation.engine, derivation)


def made_by(engine: Engine, lived: Lived) -> DerivationShown:
    """Show how what was derived from no messages came to be, as far as it tells."""
    alone = Derivation(
        id=lived.derivation or "",
        kind="conclusions",
        session=None,
        numbers=(None, None),
        positions=(None, None),
        engine=engine,
        reason=None,
        attempt=None,
        refused=0,
        invented=0,
        generation=1,
        recorded_at=lived.recorded_at,
        position=lived.position,
    )
    return msgspec.structs.replace(_made(engine, alone), run=lived.run)


def life_shown(lived: Lived) -> LifeEvent:
    """Show one thing that happened to a conclusion."""
    return LifeEvent(
        position=lived.position,
        at=lived.recorded_at,
        what=lived.what,
        observer_id=lived.observer,
        messages=lived.evidence,
        derivation_id=lived.derivation,
        reason=lived.reason,
        actor=lived.actor,
        unit=lived.unit,
        note=lived.note,
        because_id=lived.because,
        superseded_by=lived.superseded_by,
    )


def summary_shown(covering: Covering) -> CoveringSummary:
    """Show a summary under its kind's short name."""
    return CoveringSummary(
        id=covering.id,
        session_id=covering.session,
        summary_type=covering.kind,
        first_seq=covering.from_seq,
        last_seq=covering.to_seq,
        created_at=covering.created_at,
        is_current=covering.current,
    )


def answer_shown(answer: Answer) -> CitingAnswer:
    """Show an answer without what was said."""
    return CitingAnswer(
        id=answer.id,
        peer_id=_named(answer.peer),
        target_id=_named(answer.target),
        session_id=answer.session,
        level=answer.level,
        as_of=answer.as_of,
        answered_at=answer.answered_at,
        position=answer.position,
        cited_ids=answer.cited,
    )


def _named(peer: str) -> str | None:
    return None if peer == EVERYONE else peer


def _made(engine: Engine, of: Derivation) -> DerivationShown:
    prompt, _, version = (engine.prompt or "").partition("@")
    call = engine.call
    cost = None if call is None else call.cost_usd_micros
    return DerivationShown(
        id=of.id or None,
        kind=of.kind,
        engine=engine.name,
        version=engine.version,
        model=engine.model,
        parameters=engine.parameters,
        prompt=prompt or None,
        prompt_version=version or None,
        prompt_hash=engine.prompt_hash,
        session_id=of.session,
        first_seq=of.numbers[0],
        last_seq=of.numbers[1],
        first_position=of.positions[0],
        last_position=of.positions[1],
        usage=engine.usage,
        cost_usd=None if cost is None else cost / 1_000_000,
        latency_ms=None if call is None else call.latency_ms,
        requests=None if call is None else call.attempts,
        call_ids=() if call is None else call.ids,
        attempt=of.attempt,
        reason=of.reason,
        refused=of.refused,
        invented=of.invented,
        generation=of.generation,
        recorded_at=of.recorded_at,
        position=of.position,
    )
