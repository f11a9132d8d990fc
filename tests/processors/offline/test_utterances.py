"""The table is large enough, and mostly about what must not be concluded."""

from tests.processors.offline.utterances import rows

KINDS = {
    "simple", "negated", "past", "conditional", "quoted", "sarcastic", "change of mind",
    "preference", "plan", "question", "greeting", "agent", "other peer", "list", "code",
    "other language", "conversation", "request", "technical and tutoring",
    "multi-clause",
}  # fmt: skip


def test_the_table_has_at_least_170_rows_of_every_kind():
    table = rows()
    assert len(table) >= 170
    assert {row.kind for row in table} == KINDS


def test_half_of_the_rows_expect_no_conclusion():
    table = rows()
    assert sum(not row.expected for row in table) * 2 >= len(table)


def test_every_expected_sentence_names_its_peer_and_ends_with_a_stop():
    for row in rows():
        for sentence in row.expected:
            assert row.author in sentence
            assert sentence.endswith(".")
