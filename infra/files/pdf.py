"""The text of PDFs, read by a short-lived process with bounds of its own."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

from domain.errors import Invalid
from infra.files.pdf_worker import TOO_MUCH_TEXT

WITHIN = 30.0
"""Seconds one file may take: less than a client waits."""

AT_ONCE = 2
"""Files read at the same time; others wait their turn."""

# -P: a folder named "infra" where the server was started is not ours.
_COMMAND = (sys.executable, "-P", "-m", "infra.files.pdf_worker")
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")


class PdfReader:
    """Fulfils ``commands.ports.PdfText``; each file has a process to itself.

    A PDF is a program of a kind: what hangs, or wants all memory, ends with its
    process and not with the server.
    """

    def __init__(
        self, *, within: float = WITHIN, command: tuple[str, ...] = _COMMAND
    ) -> None:
        self._within = within
        self._command = command
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def text_of(self, content: bytes) -> str:
        """Return the text of each page that has any, under its number.

        Raises:
            Invalid: it is no PDF, is locked, or takes more than it may.
        """
        async with self._turns:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=_environment(),
                start_new_session=True,
            )
            try:
                async with asyncio.timeout(self._within):
                    text, _ = await process.communicate(content)
            except TimeoutError:
                raise Invalid("Uploaded PDF takes too long to read") from None
            finally:
                await _end(process)
        if process.returncode == TOO_MUCH_TEXT:
            raise Invalid("Uploaded PDF holds too much text")
        if process.returncode:
            raise Invalid("Uploaded PDF cannot be read")
        return text.decode()


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await asyncio.shield(process.wait())


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED or name.startswith("PYTHON")
    }
