"""Files: cut into messages and said in a session."""

from hashlib import sha256
from typing import Annotated, Any

import msgspec
from litestar import Response, post
from litestar.exceptions import ClientException
from litestar.params import FromPath
from litestar.status_codes import (
    HTTP_201_CREATED,
    HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    HTTP_415_UNSUPPORTED_MEDIA_TYPE,
)
from pydantic import (
    BaseModel,
    BeforeValidator,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from commands.chunks import chunks
from commands.file_text import SUPPORTED, file_text, is_supported
from commands.messages import AddMessages, Said, add_messages
from commands.routes.free_json import Metadata, strip_nul
from commands.routes.message_body import MessageBody, message_body
from commands.routes.messages import Moment
from commands.routes.ports import (
    GivenOrigin,
    GivenParse,
    GivenPdfText,
    GivenWrite,
    SentFile,
)
from commands.routes.reply import reply
from commands.routes.settings import MessageConfiguration, stored


def _json_or_nothing(value: Any) -> Any:
    """Read JSON; what is none counts as not sent (HC E33)."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _moment_or_nothing(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """Read a time; what is none counts as not sent (HC E33)."""
    try:
        return read(value)
    except ValidationError:
        return None


class Upload(BaseModel):
    """The fields of E33's form beside its file: what each of its messages gets."""

    peer_id: str
    metadata: Annotated[Metadata | None, BeforeValidator(_json_or_nothing)] = None
    configuration: Annotated[
        MessageConfiguration | None, BeforeValidator(_json_or_nothing)
    ] = None
    created_at: Annotated[Moment | None, WrapValidator(_moment_or_nothing)] = None

    def said(self, piece: str) -> Said:
        """Return one piece of the file as a message."""
        return Said(
            author=self.peer_id,
            content=strip_nul(piece),
            metadata=self.metadata or {},
            configuration=stored(self.configuration),
            created_at=self.created_at,
        )

    def digest(self, file: SentFile) -> bytes:
        """Return what stands for the request: a form's bytes differ each time."""
        fields = msgspec.json.encode(self.model_dump(mode="json"))
        declared = (file.content_type or "").encode()
        return sha256(b"\n".join((fields, declared, file.content))).digest()


@post(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/messages/upload",
    opt={"form": Upload},
    summary="Add a file",
    status_code=HTTP_201_CREATED,
)
async def post_upload(
    workspace: FromPath[str],
    session: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
    pdf_text: GivenPdfText,
) -> Response[list[MessageBody]]:
    """E33: the file's text as messages, however many, or none of it."""
    limits = write.limits
    fields, file = await parse.upload(Upload, limits.file_size)
    kind = _checked(file, limits.file_size)
    text = await file_text(file.content, kind, pdf_text)
    command = AddMessages(
        workspace=workspace,
        session=session,
        said=[fields.said(piece) for piece in chunks(text, limits.message_size)],
    )
    reason = await origin.reason(workspace, fields.digest(file))
    added = await add_messages(write, command, reason)
    answer = [message_body(message) for message in added.messages]
    return reply(answer, added.position, created=True)


def _checked(file: SentFile, most: int) -> str:
    """Return the file's type; its size is looked at first (HC E33)."""
    if file.size > most:
        raise ClientException(
            f"File size ({file.size} bytes) exceeds maximum allowed size"
            f" ({most} bytes)",
            status_code=HTTP_413_REQUEST_ENTITY_TOO_LARGE,
        )
    if file.content_type is None or not is_supported(file.content_type):
        raise ClientException(
            f"Unsupported file type: {file.content_type}."
            f" Supported types: {list(SUPPORTED)}",
            status_code=HTTP_415_UNSUPPORTED_MEDIA_TYPE,
        )
    return file.content_type
