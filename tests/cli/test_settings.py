"""What is set, as the command line shows it; secrets and keys it makes."""

import json
from datetime import UTC, datetime

import jwt

from infra.settings.template import toml_template


def test_settings_say_where_each_value_came_from(shell):
    (shell.folder / "config.toml").write_text("[summary]\nENABLED = false\n")
    (shell.folder / ".env").write_text("CACHE_ENABLED=true\n")
    given = {"WEBHOOK_SECRET": "hush", "LOG_LEVEL": "error"}
    ended = shell.run("settings", "--json", **given)
    assert ended.code == 0, ended
    told = json.loads(ended.out)
    found = {each["name"]: (each["value"], each["origin"]) for each in told["settings"]}
    assert found["LOG_LEVEL"] == ("ERROR", "environment")
    assert found["SUMMARY_ENABLED"] == (False, "config.toml")
    assert found["DREAM_ENABLED"] == (True, "default")
    assert found["WEBHOOK_SECRET"] == ("********", "environment")
    assert told["engines"]["chat"] == "offline"
    assert "CACHE_ENABLED" in told["not_honoured"][0]


def test_settings_are_a_table_for_a_person(shell):
    ended = shell.run("settings", LLM_OPENAI_API_KEY="hush")
    assert ended.code == 0, ended
    assert "hush" not in ended.out
    assert '["http://localhost","http://127.0.0.1:8000",' in ended.out
    assert "openai/gpt-5.4-mini" in ended.out


def test_a_template_is_printed_as_it_is(shell):
    assert shell.run("settings", "--template", "toml").out == toml_template()


def test_a_secret_is_new_each_time_and_signs_keys(shell):
    secret, other = (shell.run("keys", "secret").out.strip() for _ in range(2))
    assert secret != other
    assert len(secret) == 64
    words = ("--workspace", "w", "--peer", "p", "--expires", "2100-01-02")
    token = shell.run("keys", "new", *words, AUTH_JWT_SECRET=secret).out.strip()
    claims = jwt.decode(
        token, secret, algorithms=["HS256"], options={"verify_exp": False}
    )
    assert (claims["w"], claims["p"], "ad" in claims) == ("w", "p", False)
    assert datetime.fromisoformat(claims["exp"]) == datetime(2100, 1, 2, tzinfo=UTC)
    admin = shell.run("keys", "new", "--admin", AUTH_JWT_SECRET=secret).out.strip()
    assert jwt.decode(admin, secret, algorithms=["HS256"])["ad"] is True
