"""A scripted file, from which a stub of either protocol answers.

The file is JSON: ``{"answers": [rule, …]}``. The first rule that fits a call and is not
used up answers it; none, and the stub answers as ever. A rule is

- ``when``, all of which must hold (none: always): ``says``, a regular expression found
  in what was said to the model; ``turn``, how often it has spoken before; ``model``;
  ``stream``; ``tool``, the name of one it is offered; ``schema``, whether a form is
  asked for;
- ``times``, how often it answers (none: ever again);
- ``answer``: a text, or the fields of ``stub_replies.Answer``. ``value`` is a value in
  the form asked for, as each protocol gives it.

``stub.otherwise = read_script(path)`` has a stub answer from it.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.stub_replies import Answer
from tests.support.stub_server import Call


@dataclass
class Rule:
    """One rule of a script; ``left`` is how often it still answers, None for ever."""

    when: dict[str, Any]
    answer: Any
    left: int | None

    def fits(self, call: Call) -> bool:
        return self.left != 0 and all(
            _holds(name, wanted, call) for name, wanted in self.when.items()
        )


class ModelScript:
    """Answers calls by rules; ``unused`` are those that never did."""

    def __init__(self, rules: list[Rule]) -> None:
        self._rules = rules
        self._used: set[int] = set()

    def __call__(self, call: Call) -> Any:
        for number, rule in enumerate(self._rules):
            if rule.fits(call):
                self._used.add(number)
                rule.left = None if rule.left is None else rule.left - 1
                return _made(rule.answer, call)
        raise AssertionError(f"no rule of the script fits:\n{call.text[:2_000]}")

    @property
    def unused(self) -> list[Any]:
        rules = enumerate(self._rules)
        return [rule.when for number, rule in rules if number not in self._used]


def read_script(path: Path) -> ModelScript:
    """Read a scripted file."""
    written = json.loads(path.read_text())
    return ModelScript(
        [
            Rule(each.get("when", {}), each["answer"], each.get("times"))
            for each in written["answers"]
        ]
    )


def _holds(name: str, wanted: Any, call: Call) -> bool:
    body = call.body
    match name:
        case "says":
            return re.search(wanted, call.text, re.MULTILINE) is not None
        case "turn":
            return call.turn == wanted
        case "model":
            return bool(body["model"] == wanted)
        case "stream":
            return bool(body.get("stream", False)) == wanted
        case "tool":
            return wanted in _tools(body)
        case "schema":
            return (_form(body) is not None) == wanted
    raise AssertionError(f"a script knows no {name!r}")


def _tools(body: dict[str, Any]) -> set[str]:
    return {each.get("function", each)["name"] for each in body.get("tools") or ()}


def _form(body: dict[str, Any]) -> str | None:
    """Name the form that is asked for: by a tool that must be used, or by itself."""
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "tool":
        return str(choice["name"])
    return "text" if body.get("response_format") else None


def _made(answer: Any, call: Call) -> Any:
    if isinstance(answer, str):
        return answer
    fields = dict(answer)
    if "value" in fields:
        value, form = fields.pop("value"), _form(call.body)
        if form in {None, "text"}:
            fields["text"] = json.dumps(value)
        else:
            fields["calls"] = [[form, value]]
    calls = tuple((name, given) for name, given in fields.pop("calls", ()))
    return Answer(**fields, calls=calls)
