"""Given settings, what holds where no workspace, session or message says otherwise."""

import pytest

from domain.configuration import resolve
from infra.delivery import FeedLimits
from infra.limits import feed_limits_of, limits_of
from infra.settings import read_settings


@pytest.fixture(autouse=True)
def _no_file(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def test_settings_hold_below_every_level(monkeypatch):
    monkeypatch.setenv("DERIVER_ENABLED", "false")
    monkeypatch.setenv("SUMMARY_MESSAGES_PER_SHORT_SUMMARY", "12")
    deployment = limits_of(read_settings()).configuration
    settings = resolve(deployment, {}, {}, None)
    assert not settings.reasoning
    assert settings.summary
    assert settings.messages_per_short_summary == 12
    assert settings.messages_per_long_summary == 60


@pytest.mark.parametrize("level", [0, 1, 2])
def test_each_level_overrules_the_settings(monkeypatch, level):
    monkeypatch.setenv("DERIVER_ENABLED", "false")
    monkeypatch.setenv("SUMMARY_ENABLED", "false")
    deployment = limits_of(read_settings()).configuration
    levels = [{}, {}, {}]
    levels[level] = {"reasoning": {"enabled": True}, "summary": {"enabled": True}}
    settings = resolve(deployment, *levels)
    assert (settings.reasoning, settings.summary) == (True, True)


def test_null_overrules_nothing(monkeypatch):
    monkeypatch.setenv("SUMMARY_ENABLED", "false")
    deployment = limits_of(read_settings()).configuration
    assert not resolve(deployment, {"summary": {"enabled": None}}).summary


def test_who_works_on_more_keys_at_once_looks_at_more_events(monkeypatch):
    assert feed_limits_of(read_settings()) == FeedLimits()
    monkeypatch.setenv("DERIVER_WORKERS", "100")
    limits = feed_limits_of(read_settings())
    assert (limits.keys_at_once, limits.page) == (100, 1_600)
