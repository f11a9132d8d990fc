"""What the engine concludes is what the table says."""

import pytest

from processors.offline.derive import derive
from processors.offline.utterance import Utterance
from tests.processors.offline.utterances import Row, rows


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.kind}: {row.text[:50]}")
def test_a_message_gives_the_conclusions_of_the_table(row: Row):
    said = Utterance("m1", row.author, row.text, row.at)
    facts = derive([said], row.author)
    assert tuple(fact.content for fact in facts) == row.expected
    assert all(fact.evidence == ("m1",) for fact in facts)
