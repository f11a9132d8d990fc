"""The prompt that answers questions, to the letter; a change of it is a new VERSION."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.response_format import read_response_format
from processors.prompts import answer_question as prompts
from processors.reasoner import Said
from processors.recall import Background, Recollection
from processors.tools.shown import Shown
from tests.support.questions import asked

GOLDEN = Path(__file__).parents[1] / "golden" / "prompts"
AT = datetime(2026, 5, 8, 9, 30, tzinfo=UTC)
TODAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
FORM = read_response_format({"type": "object"})


def remembered(kind, number, text, **more):
    return Recollection(
        kind=kind,
        id=f"id{number}",
        text=text,
        at=AT,
        peer="ann",
        similarity=0.5,
        **more,
    )


FOUND = (
    remembered("conclusion", 1, "ann likes green\ntea."),
    remembered(
        "conclusion", 2, "ann avoids coffee.", level="deductive", evidence=("id3",)
    ),
    remembered("message", 3, "I had tea yesterday. " + "x" * 2_000),
)
BACKGROUND = Background(
    card=("Name: Ann",),
    target_card=("Role: tutor",),
    history=(Said("m1", "ann", "Hello!", AT), Said("m2", "bob", "Hi.", AT)),
)

CASES = {
    "plain": (asked(), FOUND, Background(), True),
    "bare": (asked(level="minimal"), (), Background(), False),
    "of-another": (asked(target="bob", session="s1"), FOUND[:1], BACKGROUND, True),
    "in-a-form": (asked(form=FORM), FOUND[:1], Background(), True),
    "workspace": (asked(peer=None, target=None), FOUND[:1], Background(), False),
    "of-the-past": (asked(as_of=7), (), Background(then=AT), True),
}


@pytest.mark.parametrize("case", CASES)
def test_the_prompt_is_what_its_version_says(case):
    question, found, background, aided = CASES[case]
    turns = prompts.render(question, found, background, TODAY, Shown(), aided=aided)
    text = "\n\n".join(f"<{turn.role}>\n{turn.content}" for turn in turns) + "\n"
    path = GOLDEN / f"answer_question@{prompts.VERSION}.{case}.txt"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        pytest.fail(f"{path.name} was missing and is written: read it")
    assert text == path.read_text()


def test_labels_count_each_kind_and_stay():
    shown = Shown()
    assert [shown.label(each) for each in FOUND] == ["c1", "c2", "m1"]
    assert [shown.label(each) for each in FOUND] == ["c1", "c2", "m1"]
    assert [each.id for each in shown.everything] == ["id1", "id2", "id3"]
