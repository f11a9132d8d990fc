"""What specialists of a dream are told, word for word (see ``test_prompts.py``)."""

import json
import os
from pathlib import Path

import pytest

from processors.prompts import dream_card_refresh, dream_deduction, dream_induction

GOLDEN = Path(__file__).parent.parent / "golden" / "prompts"
PAIR = ("ann", "bob")
CARD = "[k1] IDENTITY: Is called Bob\n[k2] likes tea (set by its owner)"
HINTS = ["Bob sold\nhis boat.", *(f"Bob is {n}." for n in range(9))]

RENDERED = {
    "dream_deduction.of-another": (
        dream_deduction,
        dream_deduction.render(PAIR, CARD, HINTS),
    ),
    "dream_deduction.without-card": (
        dream_deduction,
        dream_deduction.render(("bob", "bob"), None),
    ),
    "dream_induction": (dream_induction, dream_induction.render(PAIR, HINTS[:1])),
    "dream_card_refresh": (
        dream_card_refresh,
        dream_card_refresh.render(("bob", "bob"), CARD),
    ),
    "dream_card_refresh.anew": (
        dream_card_refresh,
        dream_card_refresh.render(("bob", "bob"), None),
    ),
}


@pytest.mark.parametrize("name", RENDERED)
def test_a_prompt_reads_as_its_version_did(name):
    prompt, turns = RENDERED[name]
    first, _, rest = name.partition(".")
    named = ".".join(filter(None, (f"{first}@{prompt.VERSION}", rest, "txt")))
    written = "\n\n".join(f"<{t.role}>\n{t.content}" for t in turns) + "\n"
    file = GOLDEN / named
    if os.environ.get("GOLDEN") == "write" and not file.exists():
        file.write_text(written, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == written


@pytest.mark.parametrize(
    "prompt", [dream_deduction, dream_induction, dream_card_refresh]
)
def test_the_hash_of_a_version_never_changes(prompt):
    named = f"{prompt.__name__.rpartition('.')[2]}@{prompt.VERSION}"
    file = GOLDEN / "hashes.json"
    kept = json.loads(file.read_text())
    if os.environ.get("GOLDEN") == "write" and named not in kept:
        kept[named] = prompt.HASH
        file.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
    assert kept.get(named) == prompt.HASH


def test_a_hint_stays_on_its_line_and_five_are_shown():
    told = RENDERED["dream_deduction.of-another"][1][1].content
    assert "- Bob sold his boat.\n- Bob is 0." in told
    assert told.count("\n- ") == 5


def test_what_a_tool_refuses_the_prompt_does_not_ask_for():
    """One list of kinds for the tool and both prompts (RS 13.1 W40)."""
    from domain.card_form import KINDS  # noqa: PLC0415

    for prompt in (
        dream_card_refresh.render(PAIR, None),
        dream_deduction.render(PAIR, CARD),
    ):
        assert all(kind in prompt[0].content for kind in KINDS)
    assert "card" not in dream_deduction.render(PAIR, None)[0].content
