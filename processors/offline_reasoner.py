"""The offline engine behind the reasoner's port, a little at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from domain.event import Call, Engine
from domain.session import SummaryKind
from domain.summary import SUMMARY_TOKENS
from processors.language_model import Purpose
from processors.offline.agents import speaks_as_agent
from processors.offline.derive import derive
from processors.offline.engine import ENGINE
from processors.offline.fact import Fact as Extracted
from processors.offline.summarize import summarize
from processors.offline.utterance import Utterance
from processors.ports import TokenCounter
from processors.reasoner import Drawn, Fact, Said, SummedUp, Window

_SLICE: Final = 0.002
"""Seconds of work after which requests get their turn."""


class OfflineReasoner:
    """Reasons without a model, in this process; never unavailable."""

    def __init__(
        self, tokens: TokenCounter, most: Mapping[SummaryKind, int] = SUMMARY_TOKENS
    ) -> None:
        self._tokens = tokens
        self._most = most

    @property
    def engine(self) -> Engine:
        return Engine(name=ENGINE.name, version=ENGINE.version)

    async def derive(self, window: Window) -> Drawn:
        """Return what the engine says of the whole window, peer by peer.

        It has no ear for instructions.
        """
        begun = asyncio.get_running_loop().time()
        facts: list[Fact] = []
        for observed in window.observed:
            facts += await self._tell(window.said, observed)
        return Drawn(tuple(facts), offline_engine(begun))

    async def _tell(self, window: Sequence[Said], observed: str) -> list[Fact]:
        """Return what a window tells of one peer, in its order.

        Message by message, so that a long window keeps no request waiting: what it
        concludes from one depends on the others for their authors' names only, and
        for whether the author speaks as an assistant.
        """
        loop = asyncio.get_running_loop()
        own = [_utterance(each) for each in window if each.author == observed]
        if speaks_as_agent(observed, (each.text for each in own)):
            return []
        others = {each.author: each for each in window if each.author != observed}
        named = [Utterance("", each.author, "", each.at) for each in others.values()]
        found: dict[str, dict[str, None]] = {}
        until = loop.time() + _SLICE
        for utterance in own:
            for fact in derive([*named, utterance], observed):
                found.setdefault(fact.content, {}).update(dict.fromkeys(fact.evidence))
            if loop.time() > until:
                await asyncio.sleep(0)
                until = loop.time() + _SLICE
        return [Fact(observed, content, tuple(ids)) for content, ids in found.items()]

    async def summarize(
        self,
        kind: SummaryKind,
        previous: str,
        window: Sequence[Said],
        *,
        purpose: Purpose | None = None,  # noqa: ARG002  it asks nobody
    ) -> SummedUp:
        """Return the engine's extractive summary, within the kind's tokens."""
        begun = asyncio.get_running_loop().time()
        authors = dict.fromkeys(each.author for each in window)
        facts = [
            Extracted(fact.content, fact.evidence)
            for author in authors
            for fact in await self._tell(window, author)
        ]
        await asyncio.sleep(0)
        text = summarize(
            previous or None,
            [_utterance(each) for each in window],
            token_limit=self._most[kind],
            count=self._tokens.count,
            facts=facts,
        )
        return SummedUp(text, offline_engine(begun))


def offline_engine(begun: float) -> Engine:
    """Name the engine and what it took since a time of the running loop.

    It sends nothing to anybody, which costs nothing.
    """
    took = (asyncio.get_running_loop().time() - begun) * 1_000
    call = Call(latency_ms=round(took, 3), attempts=0, cost_usd_micros=0)
    return Engine(name=ENGINE.name, version=ENGINE.version, call=call)


def _utterance(said: Said) -> Utterance:
    return Utterance(said.id, said.author, said.text, said.at)
