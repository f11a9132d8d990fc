"""One message as the offline engine sees it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Utterance:
    """Who said what, and when; `at` carries the zone in which "yesterday" is meant."""

    id: str
    author: str
    text: str
    at: datetime
