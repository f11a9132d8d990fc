"""What every specialist of a dream is told of the pair it works on (RS 6.3)."""

from collections.abc import Sequence
from typing import Final

from processors.language_model import Turn

HINTS: Final = 5
"""Most hints that are shown (RS 6.4)."""


def opening(
    rules: str,
    pair: tuple[str, str],
    card: str | None = None,
    hints: Sequence[str] = (),
) -> tuple[Turn, ...]:
    """Return the turns: rules first, what varies last.

    ``pair`` are observer and observed; ``card`` are the lines of the card, None where
    it is not shown; ``hints`` are conclusions that are unlike the others.
    """
    observer, observed = pair
    told = [f"The peer this memory is about: {observed}"]
    if observer != observed:
        told.append(f"The peer whose memory it is: {observer}")
    if card is not None:
        told.append(f"The peer card as it is:\n{card}")
    if hints:
        listed = "\n".join(f"- {' '.join(each.split())}" for each in hints[:HINTS])
        told.append(f"These are unlike the rest, and may be worth a look:\n{listed}")
    return Turn("system", rules), Turn("user", "\n\n".join(told))
