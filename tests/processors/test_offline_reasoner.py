"""The offline engine behind its port says what the pure functions say."""

from datetime import timedelta

import pytest

from processors.language_model import Purpose
from processors.offline.derive import derive
from processors.offline.summarize import summarize
from processors.offline.utterance import Utterance
from processors.offline_reasoner import OfflineReasoner
from processors.reasoner import Said, Window
from tests.processors.offline.utterances import rows

TABLE = rows()


class Words:
    def count(self, text):
        return len(text.split())


PURPOSE = Purpose(workspace="w", feature="deriver.representation")


def given(said, *observed):
    return Window(said=said, observed=observed, purpose=PURPOSE)


def said(start, length):
    return [
        Said(str(number), row.author, row.text, row.at + timedelta(minutes=number))
        for number, row in enumerate(TABLE[start : start + length])
    ]


@pytest.mark.parametrize("start", range(0, len(TABLE), 40))
async def test_a_window_derived_in_slices_gives_what_it_gives_as_a_whole(start):
    window = said(start, 40)
    whole = [Utterance(s.id, s.author, s.text, s.at) for s in window]
    reasoner = OfflineReasoner(Words())
    for author in {each.author for each in window}:
        sliced = (await reasoner.derive(given(window, author))).facts
        assert [(fact.content, fact.evidence) for fact in sliced] == [
            (fact.content, fact.evidence) for fact in derive(whole, author)
        ]


async def test_one_sentence_said_twice_is_one_fact_with_both_messages():
    [row] = [each for each in TABLE if each.text == "I live in Porto with my two cats."]
    twice = [Said(name, row.author, row.text, row.at) for name in ("a", "b")]
    drawn = await OfflineReasoner(Words()).derive(given(twice, row.author))
    [fact] = drawn.facts
    assert fact.evidence == ("a", "b")


async def test_a_summary_absorbs_the_one_before_it():
    reasoner = OfflineReasoner(Words())
    first = (await reasoner.summarize("short", "", said(0, 10))).text
    second = (await reasoner.summarize("short", first, said(10, 10))).text
    assert first
    assert set(first.split("  ")) & set(second.split("  "))
    assert Words().count(second) <= 1_000


async def test_a_summary_is_what_the_engine_makes_of_the_window_as_a_whole():
    window = said(0, 60)
    whole = [Utterance(s.id, s.author, s.text, s.at) for s in window]
    count = Words().count
    made = await OfflineReasoner(Words()).summarize("short", "", window)
    assert made.text == summarize(None, whole, token_limit=1_000, count=count)


async def test_what_holds_nothing_has_no_summary():
    made = await OfflineReasoner(Words()).summarize("short", "", [])
    assert made.text == ""


def test_the_engine_says_its_name():
    assert OfflineReasoner(Words()).engine.name == "offline"


async def test_it_says_what_it_took_and_that_it_costs_nothing():
    drawn = await OfflineReasoner(Words()).derive(given(said(0, 3), TABLE[0].author))
    call = drawn.engine.call
    assert (call.attempts, call.cost_usd_micros) == (0, 0)
    assert call.latency_ms >= 0
