"""Calls of language models: what each was for and took, never what was said."""

from datetime import datetime
from typing import Literal

from domain.event import Call, Event

Outcome = Literal["answered", "failed", "refused", "cancelled", "lost"]
"""How a call ended: ``refused`` by the model, ``cancelled`` by who asked, ``lost`` with
the process that made it."""


class LLMCallRecorded(Event, frozen=True, kw_only=True, tag="llm-call-recorded"):
    """A call ended, whatever came of it; what it brought is in other events.

    ``feature`` is what it was for (RS 11.1), ``run`` joins the calls of one agent run
    or answer, ``journal`` is its key there, "" where the work is never done again.
    ``model`` is the one that answered, else the one that was asked. ``reason`` is a
    word that says why it brought no answer. ``estimated`` says that nobody told the
    tokens and they were counted here. ``usage`` is as in ``Engine``.
    """

    id: str
    feature: str
    form: Literal["complete", "stream", "structured"]
    outcome: Outcome
    transport: str
    model: str
    call: Call
    finished_at: datetime
    reason: str = ""
    finish: str = ""
    fallback: bool = False
    estimated: bool = False
    usage: dict[str, int] = {}
    peer: str | None = None
    session: str | None = None
    run: str = ""
    journal: str = ""
