"""The house rules that no linter knows."""

import ast
import importlib.metadata
import re
import sys
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from infra.settings import Settings
from infra.settings.dialectic import DialecticLevels
from infra.settings.sections import section_of

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "commands", "projections", "read_api", "processors", "infra")
TOP_LEVEL = {
    *PACKAGES,
    *("tests", "pyproject.toml", "docker-compose.yml", "README.md", "LICENSE"),
    *("uv.lock", "dist", "node_modules", "package-lock.json", "config.toml"),
}
BANNED = re.compile(
    r"util|helper|manager|service|common|misc|(^|_)(base|data|info|impl)$"
)
MODULES = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "__pycache__" not in path.parts
]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_has_a_law_and_stays_short(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    assert len(ast.get_docstring(ast.parse(text)) or "") > 10


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_no_file_or_class_has_a_name_that_says_nothing(path):
    classes = [
        re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name).lower()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    assert [name for name in [path.stem, *classes] if BANNED.search(name)] == []


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_functions_stay_under_forty_lines_of_code(path):
    tree = ast.parse(path.read_text())
    long = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _body_lines(node) > 40
    ]
    assert long == []


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without its docstring."""
    body = node.body
    if ast.get_docstring(node) is not None:
        body = body[1:]
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_the_top_level_holds_the_fixed_names_only():
    found = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")}
    assert found <= TOP_LEVEL


def test_the_domain_imports_the_standard_library_and_msgspec_only():
    allowed = set(sys.stdlib_module_names) | {"msgspec", "domain"}
    imported = set()
    for path in (ROOT / "domain").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
    assert imported <= allowed


def test_no_other_distribution_claims_our_package_names():
    claimed = importlib.metadata.packages_distributions()
    others = {
        name: set(claimed.get(name, ())) - {"palimpsest-memory"} for name in PACKAGES
    }
    assert others == {name: set() for name in PACKAGES}


def test_the_readme_names_every_package_and_every_section_of_settings():
    readme = (ROOT / "README.md").read_text()
    sections = {section_of(name) for name in Settings.model_fields}
    wanted = [f"{name}/" for name in PACKAGES] + [f"`{name}`" for name in sections]
    assert [word for word in wanted if word not in readme] == []


def test_every_setting_is_read_somewhere():
    settings = ROOT / "infra" / "settings"
    code = "\n".join(p.read_text() for p in MODULES if settings not in p.parents)
    read = set(re.findall(r"\.([a-z_0-9]+)\b", code))
    assert sorted(_names(Settings) - read) == []


def _names(model: type[BaseModel]) -> set[str]:
    """Every name an attribute of the settings has, at any depth."""
    found = set()
    for name, each in model.model_fields.items():
        if model is not DialecticLevels:  # a question names the level
            found.add(name)
        for kind in [each.annotation, *get_args(each.annotation)]:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found |= _names(kind)
    return found
