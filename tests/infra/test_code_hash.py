"""The code of a fold is what it can reach, whatever else stands beside it."""

import importlib
import linecache
import sys

import pytest

from infra import code_hash
from infra.code_hash import code_of, tables_read_by
from projections.erasable import Erasable
from projections.messages import Messages
from projections.registry import LAGGING, PROMPT
from projections.workspaces import Workspaces

VIEW = '''
"""A view."""

from ours.beside import colour


class View:
    """A table."""

    name = "view"

    async def apply(self, db, batch):
        """Fold."""
        await db.execute(_INSERT, colour(batch))


_INSERT = "INSERT INTO thing SELECT 1 FROM message AS m"


async def question(db):
    return await db.fetch("SELECT 1")
'''
BESIDE = '''
"""Beside it."""


def colour(batch):
    return _hue(batch) + 1  # a comment


def _hue(batch):
    return len(batch)


def nobody():
    return 0
'''


@pytest.fixture
def code(tmp_path, monkeypatch):
    """The view above, with some text of its two files replaced."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(code_hash, "_OURS", ("ours",))
    (tmp_path / "ours").mkdir()

    def made(*replaced):
        forget()
        for name, text in {"view": VIEW, "beside": BESIDE, "__init__": ""}.items():
            for old, new in replaced:
                text = text.replace(old, new)  # noqa: PLW2901  each in turn
            (tmp_path / "ours" / f"{name}.py").write_text(text)
        return importlib.import_module("ours.view").View()

    yield made
    forget()


def forget():
    for name in [each for each in sys.modules if each.partition(".")[0] == "ours"]:
        del sys.modules[name]
    for cached in (
        code_hash._hash_of,
        code_hash._tables_of,
        code_hash._module,
        code_hash._is_module,
    ):
        cached.cache_clear()
    linecache.clearcache()
    importlib.invalidate_caches()


@pytest.mark.parametrize(
    "replaced",
    [
        ("# a comment", "# another"),
        ('"""Fold."""', '"""Fold it all."""'),
        ('"""Fold."""', ""),
        ("_hue(batch) + 1", "(_hue(\n        batch\n    )) + 1"),
        ('SELECT 1"', 'SELECT 2"'),
        ("return 0", "return 1"),
        ("async def question", "def other(): ...\n\n\nasync def question"),
    ],
)
def test_what_folds_nothing_changes_no_code(code, replaced):
    before = code_of(code())
    assert code_of(code(replaced)) == before


@pytest.mark.parametrize(
    "replaced",
    [
        ("colour(batch))", "colour(batch) + 1)"),
        ("len(batch)", "len(batch) or 1"),
        ("SELECT 1 FROM", "SELECT 2 FROM"),
        ('name = "view"', 'name = "views"'),
        ("async def question", "_INSERT += ';'\n\n\nasync def question"),
        ("def nobody", "print()\n\n\ndef nobody"),
    ],
)
def test_whatever_a_fold_can_reach_changes_its_code(code, replaced):
    before = code_of(code())
    assert code_of(code(replaced)) != before


def test_the_tables_a_fold_reads_are_found(code):
    assert tables_read_by(code()) == {"thing", "message"}


def test_every_view_has_a_code_and_all_are_different():
    codes = {code_of(each) for each in (*PROMPT, *LAGGING)}
    assert len(codes) == len(PROMPT) + len(LAGGING)


def test_what_is_wrapped_counts_and_so_does_the_wrapper():
    assert len({code_of(each) for each in (Messages(), Erasable(Messages()))}) == 2
    assert code_of(Erasable(Messages())) != code_of(Erasable(Workspaces()))
