"""Counting tokens of ordinary, hostile and very long texts.

The known counts were taken from js-tiktoken 1.0.21, another implementation.
"""

import itertools
import random
import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.tokens import counter as module
from infra.tokens.counter import O200kCounter


@pytest.fixture(scope="module")
def counter():
    counter = O200kCounter()
    counter.load()
    return counter


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("hello world", 2),
        ("Hello, world!", 4),
        ("antidisestablishmentarianism", 6),
        ("2 + 2 = 4", 7),
        ("お誕生日おめでとう", 8),
        ("I'm learning Spanish because I'm moving to Madrid in May.", 11),
    ],
)
def test_known_texts_count_as_in_an_independent_implementation(counter, text, tokens):
    assert counter.count(text) == tokens


def test_a_special_token_is_ordinary_text(counter):
    assert counter.count("<|endoftext|>") == 7
    assert counter.count("a<|endofprompt|>b") > 3


@pytest.mark.parametrize(
    "text",
    ["\ud800", "a\udfffb", "\x00" * 10, "\ufffe", "e" + "\u0301" * 5_000, "🏳️‍🌈" * 500],
)
def test_odd_characters_are_counted_and_never_refused(counter, text):
    assert counter.count(text) > 0


@pytest.mark.parametrize("one", ["a", " ", "\n", "\t ", ".", "中", "1", " \n", "aA"])
def test_a_long_run_of_one_thing_is_counted(counter, one):
    assert counter.count((one * 25_000)[:25_000]) > 0
    assert counter.count((one * 1_100_000)[:1_100_000] + "x") > 0


def test_a_long_text_is_counted_as_if_it_were_not_cut(counter):
    words = [
        "Alice",
        "said",
        "it's",
        "42,",
        "(really)",
        "  ",
        "\n",
        "ñandú",
        "- \t",
        "_",
    ]
    chosen = random.Random(7).choices(words, k=120_000)
    text = " ".join(chosen)
    assert len(text) > 2 * module._SLICE
    whole = len(counter._encoding.encode_ordinary(text))
    assert counter.count(text) == whole


@given(st.text(alphabet="aB '.,_1é中\t\n\u3000\x1c-/", max_size=80))
def test_a_seam_never_changes_the_count(counter, text):
    parts = list(module._slices(text, 12))
    assert "".join(parts) == text
    seams = all(
        a and not a[-1].isspace() and b[0] == " " and len(b) > 1 and not b[1].isspace()
        for a, b in itertools.pairwise(parts)
    )
    if seams:
        assert sum(map(counter.count, parts)) == counter.count(text)


def test_a_damaged_file_is_refused(monkeypatch):
    monkeypatch.setattr(module, "_RANKS_SHA256", "0" * 64)
    with pytest.raises(ValueError, match="damaged"):
        O200kCounter().count("hello")


def test_nothing_is_loaded_before_the_first_count():
    assert O200kCounter()._encoding is None


def test_counting_opens_no_connection(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert O200kCounter().count("hello world") == 2


def test_it_counts_from_any_folder(tmp_path):
    code = "from infra.tokens.counter import O200kCounter as C; print(C().count('hi'))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip() == "1"
