"""Reports errors nobody foresaw to Sentry, and how long requests took (RS 11.3).

What is sent is an error's type, the places it came through and what it was about.
Its text and values of variables stay here: they may quote somebody.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from litestar.exceptions import HTTPException
from litestar.types import HTTPScope

from commands.ports import EventStoreError
from domain.errors import DomainError
from infra.auth.errors import Unauthorized
from infra.http.intake import BodyMissing
from infra.http.validation import ValidationFailed
from infra.settings import Settings, SettingsUnusable
from infra.telemetry.observers import UNTOLD, Answer
from infra.telemetry.under_way import under_way
from processors.language_model import ModelRefused, Unavailable

try:
    import sentry_sdk
    from sentry_sdk.tracing import Transaction
    from sentry_sdk.types import Event, Hint
except ModuleNotFoundError as missing:
    raise SettingsUnusable(
        "SENTRY_ENABLED wants the extra sentry: uv sync --extra sentry"
    ) from missing

FORESEEN: Final = (
    *(DomainError, EventStoreError, ValidationFailed, Unauthorized, BodyMissing),
    *(HTTPException, Unavailable, ModelRefused),
)
"""What is answered or waited for, and never reported."""

_LAST_SEND: Final = 2.0


@asynccontextmanager
async def reporting(settings: Settings) -> AsyncIterator["RequestTransactions"]:
    """Report until the end; requests are followed by what is yielded."""
    dsn = settings.sentry_dsn
    sentry_sdk.init(
        dsn=None if dsn is None else dsn.get_secret_value(),
        release=settings.sentry_release,
        environment=settings.sentry_environment,
        traces_sample_rate=settings.sentry_traces_sample_rate,
        profiles_sample_rate=settings.sentry_profiles_sample_rate,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        server_name="",
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        before_send=without_words,
        before_send_transaction=without_words,
    )
    reports = ErrorReports()
    logging.getLogger().addHandler(reports)
    try:
        yield RequestTransactions()
    finally:
        logging.getLogger().removeHandler(reports)
        await asyncio.to_thread(sentry_sdk.get_client().close, _LAST_SEND)


class ErrorReports(logging.Handler):
    """Reports the failures our own log lines are about."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        """Report what a line is about, if that is an error nobody foresaw."""
        error = getattr(record, "failure", None)
        if error is None and record.exc_info:
            error = record.exc_info[1]
        if not isinstance(error, BaseException) or isinstance(error, FORESEEN):
            return
        with sentry_sdk.new_scope() as scope:
            scope.set_tag("logger", record.name)
            for name, value in under_way().items():
                scope.set_tag(f"palimpsest.{name}", str(value)[:200])
            scope.capture_exception(error)


class RequestTransactions:
    """Fulfils ``RequestObserver``: a share of requests, by name and time."""

    def begin(self, scope: HTTPScope) -> Callable[[Answer], None]:
        """See ``RequestObserver``."""
        if scope["path"] in UNTOLD:
            return _nothing
        transaction = sentry_sdk.start_transaction(
            op="http.server", name=scope["method"], source="route"
        )

        def end(answer: Answer) -> None:
            if isinstance(transaction, Transaction):
                transaction.name = f"{answer.method} {answer.endpoint}"
            transaction.set_http_status(answer.status)
            transaction.finish()

        return end


def without_words(event: Event, _hint: Hint) -> Event | None:
    """Take out whatever may quote somebody; tell nothing of probes."""
    told: dict[str, Any] = dict(event)
    if any(f" {path}" in str(told.get("transaction")) for path in UNTOLD):
        return None
    for name in ("request", "user", "breadcrumbs", "extra", "logentry", "message"):
        told.pop(name, None)
    for error in told.get("exception", {}).get("values", []):
        error["value"] = ""
        error.pop("mechanism", None)
        for frame in error.get("stacktrace", {}).get("frames", []):
            frame.pop("vars", None)
    return told  # type: ignore[return-value]  # an Event with less in it


def _nothing(_answer: Answer) -> None:
    """Say nothing."""
