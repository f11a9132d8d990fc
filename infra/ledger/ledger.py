"""What stands between who asks a model and the model: journal, budget and record."""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from domain.budget import Budget, Spent, begin_of, budget_of, say_used_up
from domain.call import LLMCallRecorded
from domain.event import EVERYONE, Subject
from infra.codec.seal import DataKey, place_of
from infra.ledger.asked import Asked, Taken
from infra.ledger.settler import Settler
from infra.postgres.connection import LOST
from infra.postgres.data_keys import DataKeys
from infra.postgres.llm_calls import Begun, CallJournal, Ended, Looked
from processors.language_model import BudgetExhausted, Purpose, Unavailable

_LOG: Final = logging.getLogger("palimpsest.ledger")
_TABLE: Final = "llm_call"
_AWAY: Final = (*LOST, asyncpg.InterfaceError)


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was begun; with an ``answer``, one that was made before.

    ``since`` is a time of the monotonic clock, in seconds.
    """

    id: str
    asked: Asked
    seal: DataKey | None = None
    journal: str = ""
    since: float = 0.0
    answer: bytes | None = None


class Ledger:
    """Begins calls and settles them, for every model and every workspace.

    ``otherwise`` is the budget of a workspace that has none of its own. A call that
    does not fit is looked at again after ``retry_seconds``.
    """

    def __init__(
        self,
        journal: CallJournal,
        keys: DataKeys,
        settler: Settler,
        *,
        otherwise: Budget,
        retry_seconds: float,
        new_id: Callable[[], UUID],
        clock: Callable[[], datetime],
    ) -> None:
        self._journal = journal
        self._keys = keys
        self._settler = settler
        self._otherwise = otherwise
        self._retry_seconds = retry_seconds
        self._new_id = new_id
        self._clock = clock

    async def begin(self, asked: Asked) -> Opened:
        """Set aside what a call may take; or return what was answered to it before.

        Raises:
            BudgetExhausted: it is more than the workspace may still spend.
            Unavailable: the journal does not answer, so nobody is asked.
        """
        try:
            return await self._begin(asked)
        except _AWAY as away:
            raise Unavailable("the journal of calls") from away

    async def _begin(self, asked: Asked) -> Opened:
        purpose, id_ = asked.purpose, self._new_id()
        seal, key, request_hash = None, None, None
        if purpose.key:
            whose = Subject(purpose.workspace, purpose.session, EVERYONE)
            seal = (await self._keys.for_sealing([whose]))[whose]
            key = _digest(seal, asked.work)
            request_hash = _digest(seal, asked.request)
        looked = await self._journal.look(purpose.workspace, key, request_hash)
        journal = "" if key is None else key.hex()
        answer = await self._unsealed(purpose, looked)
        if answer is not None and looked.id is not None:
            return Opened(id=looked.id, asked=asked, journal=journal, answer=answer)
        opened = Opened(
            id=str(id_),
            asked=asked,
            seal=seal,
            journal=journal,
            since=time.perf_counter(),
        )
        lost = Taken(outcome="lost", estimated=True, usage=asked.given)
        begun = Begun(
            tenant=purpose.workspace,
            id=opened.id,
            session=purpose.session,
            key=key,
            request_hash=request_hash,
            key_number=None if seal is None else seal.number,
            aside=asked.most,
            record=msgspec.json.encode(self._event(opened, lost)),
        )
        await self._set_aside(begun, asked, looked.configuration)
        return opened

    async def _set_aside(
        self, begun: Begun, asked: Asked, configuration: Mapping[str, object]
    ) -> None:
        budget = budget_of(configuration, self._otherwise)
        if budget.max_cost is not None and asked.unpriced is not None:
            raise BudgetExhausted(
                f"the budget is in money, and the model {asked.unpriced} has no price"
                " (LLM_PRICES): nothing is spent until it has one",
                self._retry_seconds,
            )
        now = self._clock()
        spent = await self._journal.begin(begun, budget, begin_of(budget.window, now))
        if spent is not None:
            told = say_used_up(budget, spent, now)
            raise BudgetExhausted(told, self._retry_seconds)

    async def answered(self, opened: Opened, taken: Taken, answer: bytes) -> None:
        """Write down an answer, durably where its work may be done again.

        A journal that does not answer is waited for behind the caller: what was paid
        for is used. So it is settled if the caller goes away meanwhile.
        """
        event = self._event(opened, taken)
        response = None
        if opened.seal is not None:
            place = _place(event.workspace, opened.id, opened.seal.number)
            response = opened.seal.seal(answer, place)
        ended = _ended(event, response)
        is_written = False
        try:
            if response is not None:
                await self._journal.finish([ended])
                is_written = True
        except _AWAY as away:
            _LOG.warning("a call is not yet settled: %s", type(away).__name__)
        finally:
            self._settler.add(event, None if is_written else ended)

    def ended(self, opened: Opened, taken: Taken) -> None:
        """Let a call be settled that brought no answer."""
        event = self._event(opened, taken)
        self._settler.add(event, _ended(event, None))

    def _event(self, opened: Opened, taken: Taken) -> LLMCallRecorded:
        return opened.asked.recorded(
            opened.id,
            opened.journal,
            taken,
            since=opened.since,
            at=self._clock(),
        )

    async def _unsealed(self, purpose: Purpose, looked: Looked) -> bytes | None:
        """Open a stored answer; None if there is none, or its key is destroyed."""
        number = looked.key_number
        if looked.response is None or looked.id is None or number is None:
            return None
        key = (await self._keys.for_opening([number]))[number]
        if key is None:
            return None
        place = _place(purpose.workspace, looked.id, number)
        return key.open(looked.response, place)


def _digest(seal: DataKey, said: bytes) -> bytes:
    """Name something without telling it: whoever has not the key cannot guess it."""
    key = blake2b(b"llm_call", key=seal.secret, digest_size=32).digest()
    return blake2b(said, key=key, digest_size=32).digest()


def _place(tenant: str, id_: str, number: int) -> bytes:
    return place_of(tenant, _TABLE, "response", UUID(id_), number)


def _ended(event: LLMCallRecorded, response: bytes | None) -> Ended:
    usage = event.usage
    tokens = usage.get("input", 0) + usage.get("output", 0)
    return Ended(
        tenant=event.workspace,
        id=event.id,
        finished_at=event.finished_at,
        spent=Spent(event.call.cost_usd_micros or 0, tokens),
        record=msgspec.json.encode(event),
        response=response,
    )
