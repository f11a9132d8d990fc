"""The model's files are the known ones or they are refused."""

import pytest

from infra.embedder import model
from infra.embedder.lane import _batches, _Job, _Part


def test_weights_that_are_not_the_known_file_are_refused(monkeypatch):
    monkeypatch.setattr(model, "_WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(ValueError, match="not the known file"):
        model._weights()


def test_missing_weights_are_named(monkeypatch):
    monkeypatch.setattr(model, "_WHEEL", "no_such_wheel_at_all")
    with pytest.raises(FileNotFoundError, match="no_such_wheel_at_all"):
        model._weights()


def test_batches_hold_texts_of_like_length_and_stay_small():
    lengths = [3, 250, 4, 3, 9, 128, 3, 127, 3, 256]
    part = _Part(1, [], 0)
    batches = _batches([_Job(part, i, [0] * n) for i, n in enumerate(lengths)])
    assert [[len(job.tokens) for job in batch] for batch in batches] == [
        [3, 3, 3, 3],
        [4, 9],
        [127, 128],
        [250],
        [256],
    ]
