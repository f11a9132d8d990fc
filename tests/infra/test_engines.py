"""Given settings, each feature names the engine it runs on."""

import pytest

from infra.embedder.choice import chosen_embedding
from infra.engines import engine_names
from infra.llm.endpoint import USUAL
from infra.settings import SettingsUnusable, read_settings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch, tmp_path):
    """Read no file, and nothing of this machine's environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("LLM_OPENAI_API_KEY", "LLM_OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_key_everything_runs_here():
    assert engine_names(read_settings()) == {
        "conclusions": "offline",
        "summaries": "offline",
        "chat": "offline",
        "dreams": "offline: nothing dreams",
        "vectors": "all-minilm-l6-v2-int8 (bundled)",
    }


def test_what_is_switched_off_by_default_says_so(monkeypatch):
    monkeypatch.setenv("DERIVER_ENABLED", "false")
    monkeypatch.setenv("SUMMARY_ENABLED", "false")
    engines = engine_names(read_settings())
    off = "offline, where a configuration enables it"
    assert (engines["conclusions"], engines["summaries"]) == (off, off)


def test_a_model_of_vectors_without_a_key_is_none(monkeypatch):
    monkeypatch.setenv("EMBEDDING_VECTOR_DIMENSIONS", "1536")
    found = read_settings()
    assert chosen_embedding(found) is None
    assert engine_names(found)["vectors"] == (
        "all-minilm-l6-v2-int8 (bundled); openai/text-embedding-3-small has no key here"
    )


def test_the_key_for_chat_serves_a_model_of_vectors_that_is_set(monkeypatch):
    monkeypatch.setenv("EMBEDDING_VECTOR_DIMENSIONS", "3072")
    monkeypatch.setenv("EMBEDDING_MODEL_CONFIG__MODEL", "text-embedding-3-large")
    monkeypatch.setenv("LLM_OPENAI_API_KEY", "hush")
    found = read_settings()
    chosen = chosen_embedding(found)
    assert chosen.endpoint.api_key.get_secret_value() == "hush"
    assert chosen.endpoint.base_url == "https://api.openai.com/v1"
    assert engine_names(found)["vectors"] == (
        "openai/text-embedding-3-large (3,072 dimensions)"
    )


@pytest.mark.parametrize(
    ("mode", "dimensions", "model", "sent"),
    [
        ("auto", None, "text-embedding-3-small", False),
        ("auto", "512", "text-embedding-3-small", True),
        ("auto", "1536", "text-embedding-ada-002", False),
        ("always", None, "text-embedding-3-small", True),
        ("never", "512", "text-embedding-3-small", False),
    ],
)
def test_dimensions_are_sent_as_the_mode_says(
    monkeypatch, mode, dimensions, model, sent
):
    monkeypatch.setenv("EMBEDDING_MODEL_CONFIG__DIMENSIONS_MODE", mode)
    monkeypatch.setenv("EMBEDDING_MODEL_CONFIG__MODEL", model)
    if dimensions:
        monkeypatch.setenv("EMBEDDING_VECTOR_DIMENSIONS", dimensions)
    monkeypatch.setenv("LLM_OPENAI_API_KEY", "hush")
    assert chosen_embedding(read_settings()).asked.sends_dimensions == sent


@pytest.mark.parametrize(
    ("mode", "base_url", "packed"),
    [
        ("auto", None, True),
        ("auto", "http://127.0.0.1:1/v1", False),
        ("base64", "http://127.0.0.1:1/v1", True),
        ("float", None, False),
    ],
)
def test_vectors_travel_packed_where_that_is_understood(
    monkeypatch, mode, base_url, packed
):
    monkeypatch.setenv("EMBEDDING_MODEL_CONFIG__ENCODING_FORMAT_MODE", mode)
    monkeypatch.setenv("EMBEDDING_MODEL_CONFIG__OVERRIDES__API_KEY", "hush")
    if base_url:
        monkeypatch.setenv("EMBEDDING_MODEL_CONFIG__OVERRIDES__BASE_URL", base_url)
    assert chosen_embedding(read_settings()).asked.base64 == packed


def test_gemini_makes_vectors_of_fewer_and_shorter_texts(monkeypatch):
    monkeypatch.setenv("LLM_GEMINI_API_KEY", "hush")
    monkeypatch.setenv("EMBEDDING_MODEL_CONFIG__TRANSPORT", "gemini")
    monkeypatch.setenv("EMBEDDING_MODEL_CONFIG__MODEL", "gemini-embedding-001")
    chosen = chosen_embedding(read_settings())
    assert chosen.endpoint.base_url == USUAL["gemini"]
    assert (chosen.asked.max_batch, chosen.asked.max_input_tokens) == (100, 2_048)
    assert not chosen.asked.base64


@pytest.mark.parametrize("transport", ["anthropic", "groq"])
def test_who_makes_no_vectors_is_refused(monkeypatch, transport):
    monkeypatch.setenv("EMBEDDING_MODEL_CONFIG__TRANSPORT", transport)
    with pytest.raises(SettingsUnusable, match="makes no embeddings"):
        read_settings()
