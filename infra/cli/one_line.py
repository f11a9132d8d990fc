"""Turns what a person can mend into one clear line and exit code 2."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, NoReturn

import asyncpg
import typer
import uvloop

from domain.errors import DomainError
from infra.analytics.store import OtherLog
from infra.auth.errors import SecretUnusable
from infra.cli.place import NothingHere, Place, ServerRunning, Unreachable, choose_place
from infra.codec.errors import Unreadable
from infra.door import PortTaken
from infra.kafka.client import CredentialsUnusable, NoBrokers
from infra.kafka.generations import FillingUnderWay
from infra.master_key import MasterKeyUnusable
from infra.postgres.checkpoints import LogDiverged
from infra.postgres.embedded import EmbeddedPostgresError
from infra.postgres.migrate import DatabaseNewer, DatabaseOlder
from infra.postgres.views import ViewsNewer, ViewsOlder
from infra.proof.checkpoint import CheckpointUnusable
from infra.proof.refold import ViewsUnready
from infra.proof.signer import HistoryChanged
from infra.proof.signing_key import SigningKeyUnusable
from infra.rebuild.crew import WorkerLost
from infra.rebuild.plan import NoSuchProjection
from infra.rebuild.report import RebuildFailed, RebuildUnderWay, ViewsDrifted
from infra.settings import Settings, SettingsUnusable, read_settings
from infra.watch import WorkerEnded

MENDABLE: Final = (
    CheckpointUnusable,
    CredentialsUnusable,
    DatabaseNewer,
    DatabaseOlder,
    EmbeddedPostgresError,
    FillingUnderWay,
    HistoryChanged,
    LogDiverged,
    MasterKeyUnusable,
    NoBrokers,
    NoSuchProjection,
    NothingHere,
    OtherLog,
    PortTaken,
    RebuildFailed,
    RebuildUnderWay,
    SecretUnusable,
    ServerRunning,
    SettingsUnusable,
    SigningKeyUnusable,
    Unreachable,
    Unreadable,
    ViewsDrifted,
    ViewsNewer,
    ViewsOlder,
    ViewsUnready,
    WorkerLost,
)

Work = Callable[[Settings], Coroutine[Any, Any, int | None]]
WorkAt = Callable[[Place, Settings], Coroutine[Any, Any, int | None]]

_TERMINATED: Final = 128 + signal.SIGTERM


def run(work: Work) -> NoReturn:
    """Run a command to its end; leave with its code, or 2 and one line.

    SIGTERM ends it as Ctrl-C does: what it started is stopped.
    """
    try:
        settings = read_settings()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(_until_terminated(work(settings)))
    except MENDABLE as error:
        _leave(str(error), 2)
    except DomainError as error:
        _leave(str(error), 1)
    except asyncpg.PostgresError as error:
        # Its further lines may quote values.
        _leave(f"Postgres refuses: {error.args[0] if error.args else error}", 2)
    except BrokenPipeError:
        raise  # who read our output has enough: the command line ends quietly
    except OSError as error:
        # Who was not answered in time says nothing else.
        reason = error.strerror or str(error) or type(error).__name__
        _leave(f"{error.filename or 'the system'}: {reason}", 2)
    except WorkerEnded as error:
        _leave(str(error), 1)
    raise typer.Exit(code or 0)


def run_at(data: Path | None, work: WorkAt) -> NoReturn:
    """Run a command on the place the option and the settings name."""

    async def there(settings: Settings) -> int | None:
        return await work(choose_place(data, settings), settings)

    run(there)


async def _until_terminated(work: Coroutine[Any, Any, int | None]) -> int | None:
    task = asyncio.ensure_future(work)
    terminated = False

    def terminate() -> None:
        nonlocal terminated
        terminated = True
        task.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await task
    except asyncio.CancelledError:
        if terminated:
            return _TERMINATED
        raise


def _leave(text: str, code: int) -> NoReturn:
    typer.echo(f"palimpsest: {' '.join(text.split())}", err=True)
    raise typer.Exit(code) from None
