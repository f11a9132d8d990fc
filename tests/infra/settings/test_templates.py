"""Both templates set nothing as they are, and the defaults once uncommented."""

import re
import tomllib
from pathlib import Path

import pytest

from infra.settings import Settings, read_settings
from infra.settings.sections import SECTIONS
from infra.settings.template import env_template, toml_template

ROOT = Path(__file__).parents[3]


def test_the_template_in_the_repository_is_the_one_made_from_the_fields():
    assert (ROOT / ".env.template").read_text() == env_template()


@pytest.mark.parametrize(
    ("name", "template"), [(".env", env_template()), ("config.toml", toml_template())]
)
def test_a_template_sets_nothing(name, template):
    Path(name).write_text(template)
    assert read_settings().model_fields_set == set()


def test_an_uncommented_env_template_is_every_default():
    text = re.sub(r"^# (?=[A-Z_]+=)", "", env_template(), flags=re.MULTILINE)
    Path(".env").write_text(text)
    assert read_settings() == Settings.model_construct()
    assert "log_level" in read_settings().model_fields_set


def test_an_uncommented_toml_template_is_every_default():
    commented = re.compile(r"^# (?=# |\[[a-z_.]+\]$|\w+ = )", re.MULTILINE)
    text = commented.sub("", toml_template())
    assert set(tomllib.loads(text)) == set(SECTIONS)
    Path("config.toml").write_text(text)
    assert read_settings() == Settings.model_construct()
    assert "log_level" in read_settings().model_fields_set
