"""A multipart form with one file, read within bounds (HC E33)."""

from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.exceptions import ClientException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from commands.routes.ports import SentFile
from domain.errors import Invalid

FILE = "file"
"""The name of the part that is the file."""


class Form(msgspec.Struct, frozen=True):
    """The parts of one form: texts by name, empty ones absent, and the file.

    ``sent`` is what came under the file's name; ``file`` is None unless that is one.
    """

    texts: dict[str, Any]
    sent: Any
    file: SentFile | None


async def read_form(request: Request[Any, Any, Any], most: int) -> Form:
    """Read the form and, unless it has more than ``most`` bytes, its file.

    A body that is no form has no parts. While it comes in, a file of more than a
    megabyte waits on disk, under no name.

    Raises:
        Invalid: it breaks off, has too many parts, or is no multipart at all.
        RequestEntityTooLarge
    """
    try:
        parts = await request.form()
    except RequestEntityTooLarge:
        raise
    except (ClientException, UnicodeError, LookupError):
        raise Invalid("The form is not well-formed multipart/form-data") from None
    try:
        sent = _last(parts, FILE)
        file = await _file(sent, most) if isinstance(sent, UploadFile) else None
        names = [name for name in parts if name != FILE and _last(parts, name) != ""]
        return Form({name: _last(parts, name) for name in names}, sent, file)
    finally:
        await parts.close()


def _last(parts: FormMultiDict, name: str) -> Any:
    given = parts.getall(name, None)
    return given[-1] if given else None


async def _file(part: UploadFile, most: int) -> SentFile:
    size = part.file.seek(0, 2)
    await part.seek(0)
    headers = {name.lower(): value for name, value in part.headers.items()}
    content = await part.read() if size <= most else b""
    return SentFile(headers.get("content-type"), size, content)
