"""The texts that contain a whole query, letter for letter but for case (HC 6.1)."""

import re
from collections.abc import Sequence

import msgspec

from projections.condition import Bind
from projections.ports import Connection

SCAN = 5_000
"""Up to so many texts of a workspace, all of them are read."""

_WORD = re.compile(r"[A-Za-z]+")
_BLANK = re.compile(r"[ \t\r\n]+")


class Containing(msgspec.Struct, frozen=True):
    """Writes whether a message ``m`` contains the query.

    ``inner`` is a tsquery of words that stand between blanks in every text which
    contains the query, so that the words' index can find such texts. The one place
    where such words are not indexed is inside a markup tag; small workspaces are read
    through instead, as are all where the query has no such word.
    """

    query: str
    inner: str

    def test(self, bind: Bind, alias: str = "m") -> str:
        """Write the test itself, of a table with a column ``content``."""
        return f"strpos(lower({alias}.content), lower({bind(self.query)}::text)) > 0"

    def search(self, bind: Bind) -> str:
        """Write the test so that large workspaces need not be read through."""
        if not self.inner:
            return self.test(bind)
        found = f"m.words @@ {bind(self.inner)}::text::tsquery"
        return f"{found} AND {self.test(bind)}"


async def find_containing(
    db: Connection, query: str, documents: int, languages: Sequence[str]
) -> Containing:
    """Prepare the question which of about ``documents`` texts contain the query.

    They are stemmed as in ``languages``.
    """
    between = _BLANK.split(query)[1:-1]
    inner = " ".join(word for word in between if _WORD.fullmatch(word))
    if documents <= SCAN or not inner:
        return Containing(query, "")
    each = [await db.fetchval(_WORDS, name, inner) for name in languages]
    if not all(each):  # nothing but small words in one of them: no index finds those
        return Containing(query, "")
    return Containing(query, " | ".join(f"({stems})" for stems in each))


_WORDS = "SELECT plainto_tsquery($1::text::regconfig, $2::text)::text"
