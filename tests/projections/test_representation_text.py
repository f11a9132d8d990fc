"""A representation is written byte for byte as the contract's."""

from datetime import UTC, datetime, timedelta, timezone

from projections.representation_text import Observation, markdown, plain

AT = datetime(2025, 1, 2, 3, 4, 5, 999_000, tzinfo=UTC)


def line(level, content, **more):
    return Observation(level=level, content=content, **({"at": AT} | more))


def test_the_reference_rendering():
    observations = [
        line("contradiction", "C1", basis=("x", "y")),
        line("explicit", "E1"),
        line("deductive", "D1", basis=("p1", "p2")),
        line("deductive", "D2"),
        line(
            "inductive",
            "I1",
            confidence="high",
            pattern="preference",
            basis=tuple(f"s{n}" for n in range(7)),
        ),
    ]
    assert markdown(observations) == (
        "## Explicit Observations\n\n[2025-01-02 03:04:05] E1\n\n"
        "## Deductive Observations\n\n[2025-01-02 03:04:05] D1\n   Premises:\n   - p1\n"
        "   - p2\n\n[2025-01-02 03:04:05] D2\n\n\n"
        "## Inductive Observations\n\n **Pattern** [high]: I1\n"
        "   **Type**: preference\n   **Sources**:\n   - s0\n   - s1\n   - s2\n   - s3\n"
        "   - s4\n   - ... and 2 more\n\n\n"
        "## Contradictions\n\n **CONTRADICTION**: C1\n"
        "   **Conflicting statements**:\n   - x\n   - y\n\n"
    )


def test_nothing_is_the_empty_text_and_four_headings_in_the_plain_form():
    assert markdown([]) == ""
    assert plain([]) == (
        "EXPLICIT:\n\n\nDEDUCTIVE:\n\n\nINDUCTIVE:\n\n\nCONTRADICTION:\n\n"
    )


def test_the_plain_form_numbers_the_lines_of_each_section():
    moved = AT.astimezone(timezone(timedelta(hours=5)))
    observations = [line("explicit", "a"), line("explicit", "b", at=moved)]
    assert plain([*observations, line("inductive", "i")]) == (
        "EXPLICIT:\n\n1. [2025-01-02 03:04:05] a\n2. [2025-01-02 03:04:05] b\n\n"
        "DEDUCTIVE:\n\n\n"
        "INDUCTIVE:\n\n1. [2025-01-02 03:04:05] i\n\n"
        "CONTRADICTION:\n\n"
    )
