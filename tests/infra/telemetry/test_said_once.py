"""What is tried every second is said once a minute."""

import logging

from infra.telemetry.said_once import _MOST, NEWS, QUIET, SaidOnce


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


def line(*values, name="infra.feed", level=logging.WARNING, **more):
    record = logging.LogRecord(name, level, "x.py", 1, "%s: %s", values, None)
    record.__dict__.update(more)
    return record


def test_a_line_said_again_is_counted_and_told_when_it_is_said_next():
    clock = Clock()
    once = SaidOnce(clock)
    assert once.filter(line("deriver", "OSError"))
    for _ in range(59):
        clock.now += 1
        assert not once.filter(line("deriver", "OSError"))
    clock.now = 1_000 + QUIET
    told = line("deriver", "OSError", about={"workspace": "w"})
    assert once.filter(told)
    assert told.about == {"workspace": "w"}, "about something else"
    told = line("deriver", "OSError")
    assert once.filter(told)
    assert told.about == {"repeated": 59}
    clock.now += QUIET
    told = line("deriver", "OSError")
    assert once.filter(told)
    assert not hasattr(told, "about")


def test_other_lines_are_said_and_so_are_news_exceptions_and_what_is_no_trouble():
    once = SaidOnce(Clock())
    assert once.filter(line("deriver", "OSError"))
    assert once.filter(line("deriver", "TimeoutError"))
    assert once.filter(line("deriver", "OSError", name="infra.projector"))
    for _ in range(2):
        assert once.filter(line("deriver", "OSError", level=logging.INFO))
        assert once.filter(line("deriver", "OSError", **NEWS))
        error = OSError()
        assert once.filter(line("deriver", "OSError", exc_info=(OSError, error, None)))


def test_a_line_that_cannot_be_made_is_left_to_who_writes_it():
    """Python tells of it there; here it would be raised where the line is said."""
    wrong = logging.LogRecord("x", logging.WARNING, "x.py", 1, "%d", ("one",), None)
    assert SaidOnce(Clock()).filter(wrong)


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first():
    once = SaidOnce(Clock())
    for number in range(_MOST + 1):
        assert once.filter(line("x", number))
    assert once.filter(line("x", 0))
    assert not once.filter(line("x", _MOST))
