"""Languages whose words search knows: names of Postgres' text search."""

from typing import Final

LANGUAGES: Final = frozenset(
    {
        *("arabic", "armenian", "catalan", "danish", "dutch", "english", "finnish"),
        *("french", "german", "greek", "hindi", "hungarian", "indonesian", "italian"),
        *("lithuanian", "norwegian", "portuguese", "romanian", "russian", "serbian"),
        *("simple", "spanish", "swedish", "tamil", "turkish"),
    }
)
"""What ``{"search": {"language": …}}`` may name; ``simple`` leaves words as they are.

Postgres has had all of them since 14.
"""
