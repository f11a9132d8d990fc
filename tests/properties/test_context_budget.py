"""Whatever was said, summed up and concluded: a context fits its budget, by HC 6.5.

Random histories are folded into the real views and asked over HTTP with random
budgets; what comes back is held to the contract's arithmetic, written down here once
more. Tokens of messages and summaries are as recorded; a representation and a card are
counted in words, for the counter of these tests counts words.
"""

import random

import pytest

from tests.read_api.conftest import asking_of
from tests.support.story import (
    at,
    card,
    concluded,
    joined,
    peer,
    said,
    session,
    summed_up,
)

HISTORIES = 12
BUDGETS = 30
CAP = 100_000


class History:
    """One session, and what is known of alice by herself, as plain numbers."""

    def __init__(self, rng):
        self.sizes = [rng.choice([0, 1, 5, 20, 90]) for _ in range(rng.randint(0, 60))]
        self.short = self._summary(rng)
        self.long = self._summary(rng)
        self.words = [rng.randint(1, 9) for _ in range(rng.randint(0, 15))]
        self.here = [rng.random() < 0.6 for _ in self.words]
        self.card = [rng.randint(1, 5) for _ in range(rng.randint(0, 4))]

    def _summary(self, rng):
        """Return (last message, tokens), or None."""
        if not self.sizes or rng.random() < 0.3:
            return None
        return rng.randint(1, len(self.sizes)), rng.choice([0, 3, 10, 40, 200])

    def events(self):
        yield peer("alice")
        yield session("s")
        yield session("t")
        yield joined("s", "alice")
        for seq, size in enumerate(self.sizes, start=1):
            yield said(seq, f"number {seq}", tokens=size)
        for n, (words, here) in enumerate(zip(self.words, self.here, strict=True)):
            content = " ".join([f"fact{n}"] + ["word"] * (words - 1))
            where = "s" if here else "t"
            yield concluded(f"c{n}", content, session=where, occurred_at=at(n))
        if self.card:
            yield card("alice", "alice", *("word " * n for n in self.card))
        for kind in ("short", "long"):
            if (there := getattr(self, kind)) is not None:
                yield summed_up(kind, *there)

    def known(self, query):
        """Return how many lines are represented, and what all that is known costs."""
        if "peer_target" not in query:
            return None, 0
        confined = query.get("limit_to_session") == "true"
        told = [
            words
            for words, here in zip(self.words, self.here, strict=True)
            if here or not confined
        ]
        # The newest win; four headings, and of each line its number, day and time.
        told = told[-query.get("max_conclusions", 100) :]
        cost = 4 + sum(3 + words for words in told)
        return len(told), cost + (0 if confined else sum(self.card))

    def expected(self, query):
        """Return the summary's kind, the numbers of messages, and the whole cost."""
        lines, cost = self.known(query)
        budget = query.get("tokens", CAP) - cost
        kind, start, room = None, 1, max(budget, 0)
        if query.get("summary") != "false" and budget > 0:
            share = budget * 2 // 5
            short = self.short[1] if self.short else 0
            if self.long and short < self.long[1] <= share:
                kind = "long"
            elif self.short and 0 < short <= share:
                kind = "short"
        if kind is not None:
            start, tokens = getattr(self, kind)
            room, cost = budget - tokens, cost + tokens
        taken, numbers = 0, []
        for seq in range(len(self.sizes), start - 1, -1):
            if room <= 0 or taken + self.sizes[seq - 1] > room:
                break
            taken += self.sizes[seq - 1]
            numbers.append(seq)
        return lines, kind, numbers[::-1], cost + taken


def queries(rng, history):
    for _ in range(BUDGETS):
        query = {}
        if rng.random() < 0.95:
            most = sum(history.sizes) + 250
            query["tokens"] = rng.choice([rng.randint(-3, 60), rng.randint(0, most)])
        if rng.random() < 0.2:
            query["summary"] = "false"
        if rng.random() < 0.6:
            query["peer_target"] = "alice"
            if rng.random() < 0.4:
                query["limit_to_session"] = "true"
            if rng.random() < 0.4:
                query["max_conclusions"] = rng.randint(1, 12)
        yield query


@pytest.mark.parametrize("seed", range(HISTORIES))
async def test_a_context_is_what_the_contract_says_and_never_more(seed, database):
    rng = random.Random(seed)
    history = History(rng)
    async with asking_of(database) as ask:
        await ask.happened(*history.events())
        for query in queries(rng, history):
            answer = await ask.get("/w/sessions/s/context", **query)
            assert answer.status_code == 200, answer.text
            found = answer.json()
            lines, kind, numbers, cost = history.expected(query)
            told = (seed, query)
            spoken = [int(each["id"].removeprefix("s-")) for each in found["messages"]]
            assert spoken == numbers, told
            summary = found["summary"]
            assert (summary is None) == (kind is None), told
            if summary is not None:
                assert summary["summary_type"].endswith(kind), told
                assert spoken == [] or spoken[0] >= getattr(history, kind)[0], told
            shown = found["peer_representation"]
            assert (shown is None) == (lines is None), told
            assert lines is None or shown.count("fact") == lines, told
            if numbers or kind:
                assert cost <= query.get("tokens", CAP), told
