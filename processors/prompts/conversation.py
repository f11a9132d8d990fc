"""How a conversation is written down for a model: one numbered line a message."""

from collections.abc import Sequence

from processors.reasoner import Said


def conversation(window: Sequence[Said]) -> str:
    """Return a line for each message: its number, when, who and what.

    What was said is put on one line, so that nobody can write another's.
    """
    return "\n".join(
        f"[{number}] {said.at:%Y-%m-%d %H:%M:%S} {said.author}: {_flat(said.text)}"
        for number, said in enumerate(window, start=1)
    )


def _flat(text: str) -> str:
    return " ".join(text.split())
