"""How an answer of a form is asked for over the OpenAI protocol (RS 8.5)."""

import json
from typing import Any

from msgspec.structs import replace

from infra.llm.json_answer import fulfils_strict
from processors.language_model import JsonSchema, Prompt, Turn

JSON_OBJECT = {"type": "json_object"}


def schema_form(schema: JsonSchema) -> dict[str, Any]:
    """Return the form for an endpoint that knows schemas."""
    shown = dict(schema.schema if schema.shown is None else schema.shown)
    wire = {"name": schema.name, "schema": shown, "strict": fulfils_strict(shown)}
    return {"type": "json_schema", "json_schema": wire}


def spelled_out(prompt: Prompt, schema: JsonSchema) -> Prompt:
    """Put the schema into the prompt, for an endpoint that knows none."""
    shown = schema.schema if schema.shown is None else schema.shown
    form = (
        "Answer with one JSON object and nothing else. It must fit this JSON Schema:\n"
        + json.dumps(shown, ensure_ascii=False)
    )
    return replace(prompt, turns=(Turn("system", form), *prompt.turns))
