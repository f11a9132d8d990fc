"""Environment over .env over config.toml over defaults; refusals in one line."""

from pathlib import Path

import pytest

from infra.engines import engine_names
from infra.settings import SettingsUnusable, read_settings
from infra.settings.shown import shown
from infra.settings.theirs import check_vector_store, not_honoured


def by_name():
    return {each.name: each for each in shown(read_settings())}


def test_the_environment_wins_over_dotenv_over_toml(monkeypatch):
    Path("config.toml").write_text(
        "[app]\nLOG_LEVEL = 'debug'\nMAX_FILE_SIZE = 1\nMAX_MESSAGE_SIZE = 1\n"
    )
    Path(".env").write_text("MAX_FILE_SIZE=2\nMAX_MESSAGE_SIZE=2\n")
    monkeypatch.setenv("MAX_MESSAGE_SIZE", "3")
    found = by_name()
    assert [
        (found[name].value, found[name].origin)
        for name in ("LOG_LEVEL", "MAX_FILE_SIZE", "MAX_MESSAGE_SIZE", "DREAM_ENABLED")
    ] == [("DEBUG", "config.toml"), (2, ".env"), (3, "environment"), (True, "default")]


def test_nested_settings_are_merged_leaf_by_leaf(monkeypatch):
    Path("config.toml").write_text(
        "[deriver.model_config]\nmodel = 'from-toml'\ntemperature = 0.5\n"
    )
    monkeypatch.setenv("DERIVER_MODEL_CONFIG__MODEL", "from-environment")
    monkeypatch.setenv("EMBEDDING_MODEL_CONFIG__OVERRIDES__BASE_URL", "http://x/v1")
    monkeypatch.setenv("EMBEDDING_MODEL_CONFIG__OVERRIDES__API_KEY", "hush")
    monkeypatch.setenv("DIALECTIC_LEVELS__MINIMAL__MODEL_CONFIG__MODEL", "tiny")
    found = read_settings()
    assert found.deriver_model_config.model == "from-environment"
    assert found.deriver_model_config.temperature == 0.5
    assert found.embedding_model_config.overrides.base_url == "http://x/v1"
    assert found.embedding_model_config.model == "text-embedding-3-small"
    assert found.dialectic_levels.minimal.model.model == "tiny"
    assert found.dialectic_levels.minimal.max_output_tokens == 250
    assert found.chooses_embedder
    origins = by_name()
    assert origins["DERIVER_MODEL_CONFIG__TEMPERATURE"].origin == "config.toml"
    assert origins["DERIVER_MODEL_CONFIG__MODEL"].origin == "environment"


def test_a_chat_key_alone_never_changes_the_embedder(monkeypatch):
    monkeypatch.setenv("LLM_OPENAI_API_KEY", "hush")
    found = read_settings()
    assert not found.chooses_embedder
    assert engine_names(found) == {
        "conclusions": "openai/gpt-5.4-mini",
        "summaries": "openai/gpt-5.4-mini",
        "chat": "openai/gpt-5.4-mini",
        "dreams": "openai/gpt-5.4-mini",
        "vectors": "all-minilm-l6-v2-int8 (bundled)",
    }


def test_one_feature_may_have_a_key_of_its_own(monkeypatch):
    monkeypatch.setenv("SUMMARY_MODEL_CONFIG__OVERRIDES__API_KEY_ENV", "MY_KEY")
    monkeypatch.setenv("MY_KEY", "hush")
    engines = engine_names(read_settings())
    assert engines["summaries"] == "openai/gpt-5.4-mini"
    assert engines["conclusions"] == engines["chat"] == "offline"


@pytest.mark.parametrize(
    ("given", "transport", "model"),
    [
        ("openai/gpt-x", "openai", "gpt-x"),
        ("gemini/flash", "gemini", "flash"),
        ("meta-llama/llama-4", "openai", "meta-llama/llama-4"),
    ],
)
def test_a_transport_may_stand_before_the_model(monkeypatch, given, transport, model):
    monkeypatch.setenv("SUMMARY_MODEL_CONFIG__MODEL", given)
    found = read_settings().summary_model_config
    assert (found.transport, found.model) == (transport, model)


def test_secrets_are_masked_everywhere(monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", "hush")
    monkeypatch.setenv("DB_CONNECTION_URI", "postgresql://me:hush@db/x")
    monkeypatch.setenv("LLM_OPENAI_BASE_URL", "https://me:hush@models/v1")
    monkeypatch.setenv(
        "SUMMARY_MODEL_CONFIG__OVERRIDES__PROVIDER_PARAMS",
        '{"extra_headers": {"X-Key": "hush"}}',
    )
    monkeypatch.setenv(
        "DERIVER_MODEL_CONFIG__FALLBACK",
        '{"model": "b", "overrides": {"api_key": "hush",'
        '"provider_params": {"k":"hush"}, "base_url": "https://me:hush@models/v1"}}',
    )
    found = by_name()
    assert "hush" not in str(found)
    assert found["WEBHOOK_SECRET"].value == "********"
    assert found["AUTH_JWT_SECRET"].value is None


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"MAX_FILE_SIZE": "0"}, "MAX_FILE_SIZE"),
        ({"GET_CONTEXT_MAX_TOKENS": "250001"}, "GET_CONTEXT_MAX_TOKENS"),
        ({"DERIVER_MODEL_CONFIG": "{"}, "DERIVER_MODEL_CONFIG is not JSON"),
        ({"DERIVER_MODEL_CONFIG__SEED": "x"}, "DERIVER_MODEL_CONFIG__SEED"),
        ({"DERIVER_MODEL_CONFIG__TRANSPORT": "x"}, "DERIVER_MODEL_CONFIG__TRANSPORT"),
        ({"DERIVER_MAX_INPUT_TOKENS": "500"}, "DERIVER_MAX_INPUT_TOKENS"),
    ],
)
def test_what_is_out_of_range_is_named(monkeypatch, environment, named):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsUnusable, match=named):
        read_settings()


@pytest.mark.parametrize("text", ["[app", "[app]\nlog_level = 'loud'"])
def test_a_bad_toml_is_one_line(text):
    Path("config.toml").write_text(text)
    with pytest.raises(SettingsUnusable, match=r"config\.toml|LOG_LEVEL"):
        read_settings()


def test_a_honcho_env_works_and_says_what_it_does_not_honour(monkeypatch):
    Path(".env").write_text(
        "NAMESPACE=honcho\nDB_POOL_SIZE=10\nDERIVER_WORKERS=4\nDB_SCHEMA=public\n"
        "CACHE_ENABLED=true\nCACHE_URL=redis://me:hush@cache\nSENTRY_ENABLED=false\n"
        "SENTRY_DSN=x\nLLM_ANTHROPIC_API_KEY=hush\nVECTOR_STORE_TYPE=pgvector\n"
        "METRICS_ENABLED=false\nMAX_FILE_SIZE=100\n"
    )
    monkeypatch.setenv("LANGFUSE_HOST", "http://x")
    assert read_settings().max_file_size == 100
    lines = not_honoured()
    assert [line.partition(" (")[0] for line in lines] == [
        "not honoured: CACHE_ENABLED, CACHE_URL",
        "not honoured: LANGFUSE_HOST",
    ]
    assert "hush" not in str(lines)
    check_vector_store()


def test_another_vector_store_is_refused():
    Path("config.toml").write_text("[vector_store]\nTYPE = 'lancedb'\n")
    with pytest.raises(SettingsUnusable, match="lancedb"):
        check_vector_store()


def test_another_transport_inherits_no_thought_and_no_address(monkeypatch):
    Path("config.toml").write_text(
        "[deriver.model_config]\nthinking_effort = 'low'\ntemperature = 0.5\n"
        "[deriver.model_config.overrides]\nbase_url = 'http://x/v1'\n"
        "[summary.model_config]\nthinking_effort = 'low'\n"
        "[dialectic.levels.low.model_config]\nthinking_budget_tokens = 99\n"
    )
    monkeypatch.setenv("DERIVER_MODEL_CONFIG__TRANSPORT", "anthropic")
    monkeypatch.setenv("SUMMARY_MODEL_CONFIG__MODEL", "openai/other")
    monkeypatch.setenv("DIALECTIC_LEVELS__LOW__MODEL_CONFIG__MODEL", "anthropic/c")
    found = read_settings()
    assert found.deriver_model_config.thinking_effort is None
    assert found.deriver_model_config.overrides.base_url is None
    assert found.deriver_model_config.temperature == 0.5
    assert found.summary_model_config.thinking_effort == "low"
    assert found.dialectic_levels.low.model.thinking_budget_tokens is None


@pytest.mark.parametrize(
    ("budget", "most", "named"),
    [("1023", "4000", "1024 or more"), ("2048", "2048", "below max_output_tokens")],
)
def test_thought_that_anthropic_would_refuse_is_refused(
    monkeypatch, budget, most, named
):
    monkeypatch.setenv("DERIVER_MODEL_CONFIG__MODEL", "anthropic/c")
    monkeypatch.setenv("DERIVER_MODEL_CONFIG__THINKING_BUDGET_TOKENS", budget)
    monkeypatch.setenv("DERIVER_MODEL_CONFIG__MAX_OUTPUT_TOKENS", most)
    with pytest.raises(SettingsUnusable, match=named):
        read_settings()


def test_every_transport_has_a_key_and_an_address_of_its_own(monkeypatch):
    for name in ("ANTHROPIC", "GEMINI", "GROQ"):
        monkeypatch.setenv("SUMMARY_MODEL_CONFIG__MODEL", f"{name.lower()}/m")
        assert engine_names(read_settings())["summaries"] == "offline"
        monkeypatch.setenv(f"LLM_{name}_API_KEY", "hush")
        assert engine_names(read_settings())["summaries"] == f"{name.lower()}/m"


def test_levels_are_told_apart_and_keep_what_is_not_set(monkeypatch):
    """Iterations, tokens of an answer and what is fetched beforehand (RS 7.2)."""
    levels = read_settings().dialectic_levels
    told = {
        name: (each.max_tool_iterations, each.max_output_tokens, each.prefetch)
        for name in type(levels).model_fields
        for each in [getattr(levels, name)]
    }
    assert told == {
        "minimal": (1, 250, 10),
        "low": (5, None, 25),
        "medium": (2, None, 25),
        "high": (4, None, 25),
        "max": (10, None, 25),
    }
    monkeypatch.setenv("DIALECTIC_LEVELS__MEDIUM__TOOL_CHOICE", "any")
    monkeypatch.setenv("DIALECTIC_LEVELS__MAX__MAX_TOOL_ITERATIONS", "0")
    levels = read_settings().dialectic_levels
    assert levels.medium.tool_choice == "required"
    assert levels.medium.max_tool_iterations == 2
    assert (levels.max.max_tool_iterations, levels.max.prefetch) == (0, 25)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"KAFKA_SASL_USERNAME": "us"},
            "KAFKA_SECURITY_PROTOCOL=SASL_SSL needs KAFKA_SASL_PASSWORD",
        ),
        (
            {"KAFKA_SASL_PASSWORD": "hush"},
            "KAFKA_SECURITY_PROTOCOL=SASL_SSL needs KAFKA_SASL_USERNAME",
        ),
        (
            {"KAFKA_SASL_PASSWORD": "hush", "KAFKA_SASL_MECHANISM": "hush"},
            "the setting KAFKA_SASL_MECHANISM: Input should be 'PLAIN', 'SCRAM-",
        ),
    ],
)
def test_who_we_are_to_brokers_is_whole_or_refused(monkeypatch, given, said):
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsUnusable) as refused:
        read_settings()
    assert str(refused.value).startswith(said)
    assert "hush" not in str(refused.value)
