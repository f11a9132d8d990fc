"""What an agent is told between its turns, whatever it works on (RS 8.4)."""

from typing import Final

from processors.language_model import Turn
from processors.prompts.template_hash import template_hash

VERSION: Final = "1"
"""Goes up with every change of what is said."""

NUDGE: Final = "You have said nothing. Give your answer now."
"""After an empty reply."""

CONCLUDE: Final = """\
You can look up nothing more. Give your final answer now, from what you have found so \
far; say what could not be found out."""
"""Before the last reply, for which there are no tools."""

_REFORM: Final = """\
That does not fit the JSON Schema: {wrong}
Give the whole answer again as one JSON object that fits, and nothing else."""


def render(text: str) -> Turn:
    """Return the turn that says it."""
    return Turn("user", text)


def reform(wrong: str) -> Turn:
    """Return the turn that asks for an answer again, in its form."""
    return render(_REFORM.format(wrong=wrong))


HASH: Final = template_hash([render(NUDGE), render(CONCLUDE), reform("{wrong}")])
"""Names what is said word for word."""
