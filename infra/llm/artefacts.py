"""What only a provider reads of its own turns, and wants back (RS 8.3).

Each is kept with the name of the model it is from: no other understands it, and some
refuse a whole request for it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from processors.language_model import Turn


def artefact(by: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keep what a model gave with its turn; ``by`` is transport and model."""
    return {"by": by, "content": content}


def own_artefacts(turn: Turn, by: str) -> Iterator[Mapping[str, Any]]:
    """Yield what this very model gave with a turn."""
    return (each["content"] for each in turn.artefacts if each.get("by") == by)
