"""What the stub of the OpenAI protocol makes up: vectors of texts, values of schemas.

A text's vector depends on its words alone, so texts that share words are near.
"""

import base64 as b64
import re
from hashlib import sha256
from typing import Any

import numpy as np


def embedding(text: str, dimensions: int, *, base64: bool) -> Any:
    """Return the unit vector of a text, as floats or as base64 of float32."""
    vector = np.full(dimensions, 1e-6)
    for word in re.findall(r"\w+", text.lower()):
        seed = int.from_bytes(sha256(word.encode()).digest()[:8], "big")
        vector += np.random.default_rng(seed).standard_normal(dimensions)
    vector = (vector / np.linalg.norm(vector)).astype("<f4")
    if base64:
        return b64.b64encode(vector.tobytes()).decode()
    return [float(each) for each in vector]


def instance_of(schema: dict[str, Any], root: dict[str, Any] | None = None) -> Any:
    """Return a small value that fits a schema as strict structured output has them."""
    root = schema if root is None else root
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return instance_of((root.get("$defs") or root["definitions"])[name], root)
    if "enum" in schema:
        return schema["enum"][0]
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return instance_of(schema[union][0], root)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        fields = schema.get("properties", {})
        return {name: instance_of(each, root) for name, each in fields.items()}
    plain = {"string": "stub", "integer": 1, "number": 1.5, "boolean": True}
    return [] if kind == "array" else plain.get(kind)
