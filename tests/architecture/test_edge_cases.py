"""Every edge case of the HTTP contract (HC 8) has a test that bears its number."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
LAST = 155


def test_every_edge_case_has_a_test_of_its_name():
    found = {
        int(number)
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"def test_((?:x\d+_)+)", path.read_text())
        for number in re.findall(r"\d+", name)
    }
    assert sorted(set(range(1, LAST + 1)) ^ found) == []
