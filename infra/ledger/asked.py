"""A question to a model as the ledger sees it, and what it took in the end."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from domain.budget import Spent
from domain.call import LLMCallRecorded, Outcome
from domain.event import Call
from processors.language_model import Prompt, Purpose, Usage

Form = Literal["complete", "stream", "structured"]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """How a call ended and what it took; see ``LLMCallRecorded``.

    ``call`` without a latency is timed by the ledger.
    """

    outcome: Outcome
    usage: Usage = Usage(calls=0)
    call: Call = Call(cost_usd_micros=0)
    transport: str = ""
    model: str = ""
    reason: str = ""
    finish: str = ""
    fallback: bool = False
    estimated: bool = False


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One question: for what, to which model, how it is spelled, what it may take.

    ``given`` is what the model is given, as it is counted here; ``most`` is the most
    a call may take; ``unpriced`` names a model that may answer and has no price.
    """

    purpose: Purpose
    form: Form
    transport: str
    model: str
    request: bytes
    parameters: Mapping[str, str]
    given: Usage
    given_cost: int | None
    most: Spent
    unpriced: str | None

    @property
    def work(self) -> bytes:
        """Spell what work it is: the same when it is done again by the same model."""
        told = (self.purpose.feature, self.purpose.key, self.transport, self.model)
        return _spelled((self.purpose.workspace, *told, dict(self.parameters)))

    def recorded(
        self, id_: str, journal: str, taken: Taken, *, since: float, at: datetime
    ) -> LLMCallRecorded:
        """Return the event that tells of it; ``since`` is when it was begun."""
        call, purpose = taken.call, self.purpose
        if not call.latency_ms and taken.outcome != "lost":
            took = round((time.perf_counter() - since) * 1_000, 3)
            call = msgspec.structs.replace(call, latency_ms=took)
        if taken.outcome == "lost":
            call = msgspec.structs.replace(call, cost_usd_micros=self.given_cost)
        return LLMCallRecorded(
            workspace=purpose.workspace,
            id=id_,
            feature=purpose.feature,
            form=self.form,
            outcome=taken.outcome,
            transport=taken.transport or self.transport,
            model=taken.model or self.model,
            call=msgspec.structs.replace(call, ids=()),
            finished_at=at,
            reason=taken.reason,
            finish=taken.finish,
            fallback=taken.fallback,
            estimated=taken.estimated,
            usage=msgspec.to_builtins(taken.usage),
            peer=purpose.peer,
            session=purpose.session,
            run=purpose.run,
            journal=journal,
        )


def spelled(prompt: Prompt, schema: object, form: str) -> bytes:
    """Spell a request: two that spell the same ask the same.

    For whom it is asked is left out.
    """
    return _spelled((form, msgspec.structs.replace(prompt, purpose=None), schema))


def _spelled(value: Any) -> bytes:
    return msgspec.json.encode(value, order="deterministic")
