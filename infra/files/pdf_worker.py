"""The process that reads one PDF from stdin and writes its text to stdout.

It bounds itself before it reads a byte; whatever goes wrong is a code to exit with.
"""

import io
import resource
import sys
from collections.abc import Iterator

UNREADABLE = 3
"""Exit code for what is no PDF, or is locked."""

TOO_MUCH_TEXT = 4
"""Exit code for text beyond ``MOST_TEXT``."""

MOST_TEXT = 8 * 2**20
"""Longest text of a file, in bytes of UTF-8."""

MOST_MEMORY = 512 * 2**20
"""Address space of the process, in bytes."""

MOST_SECONDS = 25
"""CPU time of the process."""


def main() -> int:
    """Read, write, and return the code to exit with."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    if sys.platform == "linux":  # elsewhere the bound is refused or means nothing
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    try:
        written: list[bytes] = []
        size = 0
        for page in _pages(sys.stdin.buffer.read()):
            text = page.encode(errors="replace")
            size += len(text)
            if size > MOST_TEXT:
                return TOO_MUCH_TEXT
            written.append(text)
    except (Exception, MemoryError, RecursionError):  # noqa: BLE001  any failure is the file's
        return UNREADABLE
    sys.stdout.buffer.write(b"\n\n".join(written))
    sys.stdout.buffer.flush()
    return 0


def _pages(content: bytes) -> Iterator[str]:
    """Yield each page that has text below its number, counted from 1 (HC E33)."""
    from pypdf import PdfReader  # noqa: PLC0415  under the bounds set above

    for number, page in enumerate(PdfReader(io.BytesIO(content)).pages, start=1):
        text = page.extract_text()
        if text.strip():
            yield f"[Page {number}]\n{text}"


if __name__ == "__main__":
    sys.exit(main())
