"""A text's vector is recorded once for each model."""

from domain.embedding import (
    Embedded,
    Embeddings,
    Written,
    embedding_text,
    evolve_embeddings,
    record_embeddings,
)


def _written(position):
    return Written(position, Embedded("message", f"m{position}", f"f{position}"))


def _record(state, model, *positions):
    written = [_written(position) for position in positions]
    return record_embeddings(state, ("w", "s"), (model, 384), written)


def test_texts_recorded_before_are_left_out():
    [first] = _record(Embeddings(), "mini", 3, 5)
    state = evolve_embeddings(Embeddings(), first)
    [second] = _record(state, "mini", 5, 8)
    assert [item.id for item in second.items] == ["m8"]
    assert second.through == 8
    assert _record(state, "mini", 3, 5) == []


def test_each_model_has_its_own_end():
    [first] = _record(Embeddings(), "mini", 3)
    state = evolve_embeddings(Embeddings(), first)
    [other] = _record(state, "large", 3)
    assert evolve_embeddings(state, other).through == {"mini": 3, "large": 3}


def test_the_author_is_part_of_the_text():
    assert embedding_text("alice", "I ski.") == "alice: I ski."
