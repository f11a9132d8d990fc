"""The image, as far as it can be held to anything without an engine."""

import os
import re
import shutil
import subprocess
import tomllib
from fnmatch import fnmatch

import pytest

from tests.support.image import DOCKERFILE, ROOT, stages

PACKAGES = {"domain", "commands", "projections", "read_api", "processors", "infra"}
BUILD, IMAGE = stages(DOCKERFILE.read_text())


def copied(stage):
    """What a stage copies from the context."""
    words = [text.split() for text in stage.all("COPY")]
    return {
        source: target
        for *sources, target in words
        if not sources[0].startswith("--from=")
        for source in sources
    }


def test_everything_copied_is_there_and_let_in_by_dockerignore():
    sources = copied(BUILD)
    assert {*PACKAGES, "pyproject.toml", "README.md", "LICENSE"} == set(sources)
    assert copied(IMAGE) == {}
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(sources)
    kept_out = [rule for rule in rules[1:] if not rule.startswith("!")]
    for source in sources:
        assert (ROOT / source).exists(), source
        assert not any(fnmatch(source, rule) for rule in kept_out), source


def test_images_are_of_the_ordinary_names_and_pinned():
    for stage in (BUILD, IMAGE):
        name, _, tag = stage.image.partition(":")
        assert "." not in name.split("/")[0], "a registry is named"
        assert tag not in {"", "latest"}
    assert BUILD.image == IMAGE.image, "the environment is copied as it is"
    assert re.search(r"pip install \S+ uv==\d+\.\d+\.\d+$", BUILD.all("RUN")[0])
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert wanted["requires-python"] == ">=3.11"
    assert BUILD.image.startswith("python:3.11")


def test_it_runs_as_nobody_in_particular_and_every_role_by_its_words():
    steps = [word for word, _ in IMAGE.steps]
    assert IMAGE.last("USER") == "palimpsest"
    assert "RUN" not in steps[steps.index("USER") :]
    [made] = IMAGE.all("RUN")
    assert "useradd --system --uid 10001" in made
    assert "--mode 0700 /data" in made
    assert IMAGE.listed("ENTRYPOINT") == ["palimpsest"]
    assert IMAGE.listed("CMD")[0] == "up"
    assert IMAGE.environment["XDG_DATA_HOME"] == IMAGE.last("VOLUME") == "/data"
    assert not {k for k in IMAGE.environment if re.search("KEY|SECRET|PASSWORD|URI", k)}


def test_the_environment_is_copied_from_where_it_was_made():
    made = BUILD.environment["UV_PROJECT_ENVIRONMENT"]
    [copy] = [text for text in IMAGE.all("COPY") if text.startswith("--from=")]
    assert copy == f"--from={BUILD.name} {made} {made}"
    assert IMAGE.environment["PATH"].startswith(f"{made}/bin:")


@pytest.mark.long  # half a minute: all packages, resolved as in the image
@pytest.mark.uv
def test_its_install_commands_work_in_an_empty_environment(tmp_path):
    place, environment = tmp_path / "src", tmp_path / "made"
    place.mkdir()
    told = BUILD.environment | {
        "UV_PROJECT_ENVIRONMENT": str(environment),
        "UV_LINK_MODE": "hardlink",
        "UV_COMPILE_BYTECODE": "0",
    }
    kept = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    for word, text in BUILD.steps:
        if word == "COPY":
            *sources, target = text.split()
            for source in sources:
                copy(ROOT / source, place / target / (source if target == "./" else ""))
        elif word == "RUN" and text.startswith("uv "):
            subprocess.run(
                [*text.split(), "--quiet"], cwd=place, env=kept | told, check=True
            )
    outside = tmp_path / "outside"
    outside.mkdir()
    listed = subprocess.run(
        [environment / "bin" / "palimpsest", "--help"],
        cwd=outside,
        capture_output=True,
        text=True,
        check=True,
    )
    for role in ("migrate", "api", "projector", "worker", "relay"):
        assert role in listed.stdout
    script = "import infra, kafka, pyarrow, sentry_sdk; print(infra.__file__)"
    python = environment / "bin" / "python"
    where = subprocess.run(
        [python, "-c", script], cwd=outside, capture_output=True, text=True, check=True
    )
    assert where.stdout.startswith(str(environment)), "not an editable install"


def copy(source, target):
    if source.is_dir():
        shutil.copytree(
            source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.pyc")
        )
    else:
        shutil.copy(source, target)


def test_the_sample_for_fly_runs_roles_there_are():
    sample = tomllib.loads((DOCKERFILE.parent / "fly.toml").read_text())
    groups = sample["processes"]
    assert set(groups) == {"api", "relay", "projector", "worker"}
    assert sample["deploy"]["release_command"] == "migrate"
    assert (DOCKERFILE.parent / sample["build"]["dockerfile"]).exists()
    assert sample["http_service"]["processes"] == ["api"]
    named = sample["checks"]["vitals"]["processes"]
    assert {*named, "api"} == set(groups)
    assert {name for vm in sample["vm"] for name in vm["processes"]} == set(groups)
    for words in groups.values():
        assert "--port 8000" in words
