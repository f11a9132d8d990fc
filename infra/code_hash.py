"""Which code folds a view: a hash of everything its projection can reach.

Only what is reached counts: the projection's class, and the functions, classes and
constants of ``projections`` and ``domain`` named in it, and in them, and so on. A
question asked of a view, a comment, a docstring or the layout of a file changes no
hash, so none of them makes a view be folded anew. It is taken from the source, not
from bytecode, and leaves out what is empty in the syntax tree: a patch release of
Python does not change it.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from projections.projection import Projection

_OURS: Final = ("projections", "domain")
_ALWAYS: Final = "infra.upcasters"
"""What makes former events ones of today: every fold sees its work."""

_Symbol = tuple[str, str]
"""A module, and a name at its top level; an empty name is all of it."""


def code_of(projection: Projection) -> str:
    """Return the hash of the code that folds a projection."""
    return _hash_of(_roots(projection))


def tables_read_by(projection: Projection) -> frozenset[str]:
    """Return the names that follow FROM, JOIN, INTO or UPDATE in what it can reach."""
    return _tables_of(_roots(projection))


_NAMED: Final = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+([a-z_]+)\b")


def _roots(projection: Projection) -> frozenset[_Symbol]:
    roots = {_root(type(projection)), (_ALWAYS, "")}
    wrapped = getattr(projection, "projection", None)
    while wrapped is not None:
        roots.add(_root(type(wrapped)))
        wrapped = getattr(wrapped, "projection", None)
    return frozenset(roots)


@cache
def _hash_of(roots: frozenset[_Symbol]) -> str:
    digest = sha256()
    for module, name in _reached(roots):
        for text in (module, name, _module(module).text_of(name)):
            digest.update(f"{len(text)}:{text}".encode())
    return digest.hexdigest()[:32]


@cache
def _tables_of(roots: frozenset[_Symbol]) -> frozenset[str]:
    texts = (_module(module).text_of(name) for module, name in _reached(roots))
    # Spelled out, a line's end is a backslash and a letter.
    return frozenset(
        table for text in texts for table in _NAMED.findall(text.replace("\\n", " "))
    )


def _reached(roots: frozenset[_Symbol]) -> list[_Symbol]:
    seen: set[_Symbol] = set()
    waiting = list(roots)
    while waiting:
        symbol = waiting.pop()
        if symbol not in seen:
            seen.add(symbol)
            waiting.extend(_module(symbol[0]).reached_from(symbol[1]))
    return sorted(seen)


class _Module:
    """One source file: what it defines at its top level, and where names come from."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._tree = ast.parse(_source(name))
        self._defined: dict[str, list[ast.stmt]] = {}
        self._imported: dict[str, _Symbol] = {}
        self._loose: list[ast.stmt] = []
        for statement in self._tree.body:
            self._note(statement)

    def text_of(self, name: str) -> str:
        """Spell a definition, or all of the module."""
        found = self._tree.body if name == "" else self._defined.get(name, [])
        return "\n".join(_spelled(each) for each in [*found, *self._loose])

    def reached_from(self, name: str) -> Iterator[_Symbol]:
        """Yield what a definition names: here, and in other modules of ours."""
        found = self._tree.body if name == "" else self._defined.get(name, [])
        for statement in [*found, *self._loose]:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name):
                    yield from self._named(node.id)
                elif isinstance(node, ast.ImportFrom):
                    yield from _brought(node).values()

    def _named(self, name: str) -> Iterator[_Symbol]:
        if name in self._imported:
            yield self._imported[name]
        if name in self._defined:
            yield self.name, name

    def _note(self, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._defined.setdefault(statement.name, []).append(statement)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                for node in ast.walk(statement):
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                        self._defined.setdefault(node.id, []).append(statement)
            case ast.ImportFrom():
                self._imported.update(_brought(statement))
            case ast.Import():
                for alias in statement.names:
                    if _is_ours(alias.name):
                        named = alias.asname or alias.name.partition(".")[0]
                        self._imported[named] = (alias.name, "")
            case ast.Expr(value=ast.Constant()):
                pass  # a docstring
            case _:
                self._loose.append(statement)


def _brought(statement: ast.ImportFrom) -> dict[str, _Symbol]:
    module = statement.module or ""
    if not _is_ours(module):
        return {}
    found = {}
    for alias in statement.names:
        inner = f"{module}.{alias.name}"
        symbol = (inner, "") if _is_module(inner) else (module, alias.name)
        found[alias.asname or alias.name] = symbol
    return found


@cache
def _module(name: str) -> _Module:
    return _Module(name)


def _root(kind: type) -> _Symbol:
    """Where a class is; all of its module if it is not at the top level of it."""
    name = kind.__qualname__
    return kind.__module__, "" if "." in name else name


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in _OURS


@cache
def _is_module(name: str) -> bool:
    if name in sys.modules:
        return True
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # what is before the last dot is no package
        return False


def _source(module: str) -> str:
    """Return a module's text, from a wheel as from a checkout.

    Raises:
        LookupError: it was shipped without.
    """
    try:
        return inspect.getsource(import_module(module))
    except OSError as error:
        raise LookupError(f"{module} was installed without its source") from error


def _spelled(node: object) -> str:
    """Write a syntax tree without places, docstrings and what is empty."""
    if isinstance(node, ast.AST):
        fields = (
            (name, value)
            for name in node._fields
            if name not in ("ctx", "kind", "type_comment")
            and (value := _without_docstring(node, name)) not in (None, [])
        )
        inside = ",".join(f"{name}={_spelled(value)}" for name, value in fields)
        return f"{type(node).__name__}({inside})"
    if isinstance(node, list):
        return f"[{','.join(map(_spelled, node))}]"
    return repr(node)


def _without_docstring(node: ast.AST, name: str) -> object:
    value = getattr(node, name, None)
    if name != "body" or not isinstance(value, list):
        return value
    return [
        each
        for each in value
        if not (
            isinstance(each, ast.Expr)
            and isinstance(each.value, ast.Constant)
            and isinstance(each.value.value, str)
        )
    ]
