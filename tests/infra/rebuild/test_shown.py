"""What the command line tells of a rebuild."""

import json

from infra.cli import rebuild as command
from infra.fold_failure import Failure
from infra.rebuild.report import Difference, Progress, RebuildFailed, Report

FAILED = RebuildFailed(
    tuple(Failure("messages", n, "message-added", "ValueError") for n in (7, 9))
)
REPORT = Report(
    events=1_000,
    resumed=400,
    seconds=2.0,
    held_ms=12.0,
    swap_ms=9.0,
    attempts=1,
    projections=("messages", "lexicon"),
    added=("lexicon",),
    stages={"messages": 1.0},
    differences=(Difference("message", "1 rows differ"),),
)


def test_failures_are_a_table_for_a_person_and_a_line_for_a_script(capsys):
    command._show_failures(FAILED, as_json=False)
    shown = capsys.readouterr()
    rows = [line.split("│") for line in shown.out.splitlines() if "│" in line]
    told = [[cell.strip() for cell in row[1:-1]] for row in rows]
    assert told == [["messages", "message-added", n, "ValueError"] for n in ("7", "9")]
    assert "cannot fold message-added at position 7" in shown.err
    command._show_failures(FAILED, as_json=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert [each["position"] for each in json.loads(line)["failures"]] == [7, 9]


def test_a_report_says_what_was_added_taken_up_and_put_right(capsys):
    command._show(REPORT, as_json=False)
    shown = capsys.readouterr().out
    assert "belong together: lexicon" in shown
    assert "gone on from position 400" in shown
    assert "the live message was not as the log says: 1 rows differ" in shown
    assert "1000 events folded in 2.0 s (300/s); reads waited 9 ms" in shown


def test_lines_for_scripts_are_few_and_end_each_stage(capsys):
    with command._lines() as told:
        for position in range(0, 1_001, 10):
            told(Progress("messages", position, 1_000, 2.0))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["position"] for line in lines] == [0, 1_000]
    assert (lines[1]["rate"], lines[1]["remaining"]) == (500.0, 0.0)
