"""What an uploaded file says, as text."""

import asyncio
import json

from commands.ports import PdfText
from domain.errors import Invalid

SUPPORTED = ("application/pdf", "text/*", "application/json")
"""Content types that are read (HC E33)."""

_NO_JSON = "Uploaded JSON is invalid"


def is_supported(content_type: str | None) -> bool:
    """Tell whether a file declared so is read: JSON and PDF to the letter (HC E33)."""
    return content_type is not None and (
        content_type in ("application/pdf", "application/json")
        or content_type.startswith("text/")
    )


async def file_text(content: bytes, content_type: str, pdf: PdfText) -> str:
    """Return the text of a file of a supported type; an empty one has none.

    Raises:
        Invalid: it is not what it was declared as.
    """
    if not content:
        return ""
    if content_type == "application/pdf":
        return await pdf.text_of(content)
    read = _json if content_type == "application/json" else _plain
    return await asyncio.to_thread(read, content)


def _plain(content: bytes) -> str:
    """Decode as UTF-8, else UTF-16, else Latin-1, which takes any bytes."""
    for encoding in ("utf-8", "utf-16"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _json(content: bytes) -> str:
    """Write the JSON anew on one line, as HC E33 has it stored."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Invalid("JSON uploads must be UTF-8 encoded") from None
    if not text.strip():
        return ""
    try:
        value = json.loads(text, parse_constant=_no_constant)
        written = json.dumps(value, ensure_ascii=False)
        written.encode()
    except (ValueError, RecursionError):
        raise Invalid(_NO_JSON) from None
    return written


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
