"""Telemetry that is on says where it goes."""

import pytest

from infra.settings import SettingsUnusable, read_settings
from infra.settings.theirs import not_honoured


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"TELEMETRY_ENABLED": "true"}, "TELEMETRY_ENDPOINT"),
        ({"SENTRY_ENABLED": "true"}, "SENTRY_DSN"),
        ({"OTEL_TRACES_SAMPLER_ARG": "2"}, "OTEL_TRACES_SAMPLER_ARG"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT"),
    ],
)
def test_what_cannot_be_is_named(monkeypatch, given, named):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsUnusable, match=named):
        read_settings()


def test_payloads_are_refused_in_one_line(monkeypatch):
    monkeypatch.setenv("TELEMETRY_TRACE_PAYLOADS_ENABLED", "true")
    monkeypatch.setenv("TELEMETRY_TRACE_MAX_BYTES", "262144")
    [line] = not_honoured()
    assert line.startswith("not honoured: TELEMETRY_TRACE_PAYLOADS_ENABLED (")
