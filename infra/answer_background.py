"""Reads from the views what is told beside a question: cards and history (RS 7.3)."""

from datetime import datetime

import msgspec

from commands.asking import AskedQuestion
from domain.configuration import uses_cards
from domain.moment import NOW
from processors.reasoner import Said
from processors.recall import Background
from projections.cards import ShownLine, show_card
from projections.message_body import MessageBody
from projections.ports import Connection, Database
from projections.session_context import Fitted, newest_that_fit
from projections.sessions import get_session
from projections.workspaces import get_workspace


class ViewBackground:
    """Fulfils ``processors.recall.GatherBackground``.

    Where only some sessions may be recalled from, of a card are those lines that rest
    on these alone (RS 13.1 W44).
    ``cards`` says whether cards are used where no configuration does;
    ``history_tokens`` bounds the history of a session.
    """

    def __init__(self, database: Database, *, cards: bool, history_tokens: int) -> None:
        self._database = database
        self._cards = cards
        self._history_tokens = history_tokens

    async def __call__(self, question: AskedQuestion) -> Background:
        """Return what there is of it, or was at the moment asked about."""
        async with self._database.acquire() as db:
            own, target = await self._read_cards(db, question)
            rests_on = (each for line in (*own, *target) for each in line.evidence)
            history = await self._read_history(db, question)
            then = await _read_time(db, question)
        return Background(
            card=tuple(line.text for line in own),
            target_card=tuple(line.text for line in target),
            rests_on=tuple(dict.fromkeys(rests_on)),
            history=history,
            then=then,
        )

    async def _read_cards(
        self, db: Connection, question: AskedQuestion
    ) -> tuple[list[ShownLine], list[ShownLine]]:
        tenant, peer, target = question.workspace, question.peer, question.target
        if peer is None or target is None:
            return [], []
        workspace = await get_workspace(db, tenant, question.as_of)
        levels = [None if workspace is None else workspace.configuration]
        if question.session is not None:
            session = await get_session(db, tenant, question.session, question.as_of)
            levels.append(None if session is None else session.configuration)
        if not uses_cards(*levels, otherwise=self._cards):
            return [], []
        observer = question.scope or peer
        within = (question.as_of, question.sessions)
        own = await show_card(db, (tenant, observer, peer), *within)
        of_target = None
        if target != peer:
            of_target = await show_card(db, (tenant, observer, target), *within)
        return own.lines if own else [], of_target.lines if of_target else []

    async def _read_history(
        self, db: Connection, question: AskedQuestion
    ) -> tuple[Said, ...]:
        if question.session is None:
            return ()
        named = (question.workspace, question.session)
        whole = Fitted(None, 0, self._history_tokens)
        messages = await newest_that_fit(db, *named, whole, question.as_of)
        return tuple(
            Said(each.id, each.peer_id, each.content, each.created_at)
            for each in msgspec.json.decode(messages, type=list[MessageBody])
        )


async def _read_time(db: Connection, question: AskedQuestion) -> datetime | None:
    """Return when a question of the past is asked; of a position, what came last."""
    if question.moment is not None or question.as_of == NOW:
        return question.moment
    then: datetime | None = await db.fetchval(
        "SELECT recorded_at FROM message WHERE tenant = $1 AND position <= $2"
        " ORDER BY position DESC LIMIT 1",
        question.workspace,
        question.as_of,
    )
    return then
