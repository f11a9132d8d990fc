"""Everything ``palimpsest verify`` looks at, and what it found."""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

import asyncpg
import msgspec

from domain.events import EVENT_BY_TAG
from infra.codec.errors import Unreadable
from infra.postgres.mapper import StructMapper
from infra.postgres.signed_checkpoints import SignedCheckpoints
from infra.postgres.verify import Break, Verified, find_head, verify_chain
from infra.postgres.views import connect_views
from infra.proof.checkpoint import Printed, SignedCheckpoint, printed
from infra.proof.consumers import Diverged, diverged_consumers
from infra.proof.history import Refuted, Signed, check_against, check_kept
from infra.proof.orphans import Orphans, count_keys, count_orphans
from infra.proof.refold import Refolded, open_refold
from infra.proof.sample import Log as Reading
from infra.proof.unreadable import DAMAGED, find_unreadable
from infra.upcasters import UPCASTERS
from infra.views_stopped import views_stopped
from projections.registry import LAGGING, PROMPT

SAMPLE: Final = 20
"""Sessions folded again when nobody says how many."""

Show = Callable[[str, int, int], None]
"""Told what is being done, and a position of so many."""


class Keys(Protocol):
    """Knows of every data key whether it is alive."""

    async def numbers(self) -> dict[int, bool]: ...


class Opened(Protocol):
    """The log with its keys: what views are folded from."""

    @property
    def store(self) -> Reading: ...

    @property
    def keys(self) -> Keys: ...


OpenLog = Callable[[], AbstractAsyncContextManager[Opened]]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What to look at.

    ``sample`` sessions are drawn by ``seed``, or ``everything`` is folded again.
    ``given`` are checkpoints kept elsewhere, to be signed by ``trusted`` keys if any
    are named; ``present`` is the key that signs here.
    """

    seed: str = ""
    sample: int = SAMPLE
    everything: bool = False
    given: tuple[SignedCheckpoint, ...] = ()
    trusted: tuple[bytes, ...] = ()
    present: bytes | None = None


class ChainReport(msgspec.Struct, frozen=True, kw_only=True):
    """How far the chain holds, and where it does not."""

    position: int
    link: str
    undigested: int
    broken: Break | None
    seconds: float


class Report(msgspec.Struct, kw_only=True):
    """What was found; ``ok`` if nothing of it is wrong.

    ``views`` and ``orphans`` are None where they were not looked at: only the log was
    asked for, or it is broken, so that nothing follows from it, or the views were
    folded from another. ``unreadable`` is the first position whose event cannot be
    opened though the chain holds, as after a chain was made anew. ``signed`` is None
    only where the database cannot read what it holds.
    """

    ok: bool = False
    head: int
    chain: ChainReport
    signed: Signed | None = None
    newest: Printed | None = None
    against: list[Refuted] | None = None
    consumers: list[Diverged] = []
    unreadable: int | None = None
    seed: str = ""
    views: Refolded | None = None
    orphans: list[Orphans] | None = None

    def judged(self) -> "Report":
        """Set ``ok``."""
        errors = [each for each in self.orphans or [] if each.weight == "error"]
        wrong = (
            self.chain.broken is not None,
            self.signed is None or self.signed.refuted,
            self.against,
            self.consumers,
            self.unreadable is not None,
            self.views is not None and self.views.differences,
            any(each.count for each in errors),
        )
        self.ok = not any(wrong)
        return self


async def verify(
    dsn: str, open_log: OpenLog | None, asked: Asked, show: Show = lambda *_: None
) -> Report:
    """Look at the log, and at what follows from it if it can be opened.

    Nothing is changed; a server may write meanwhile. Who cannot open the log, having
    no keys, gives None.

    Raises:
        ViewsUnready: the views cannot be compared now.
    """
    sealed = _SealedKeys()
    report = await _verify_log(dsn, asked, sealed, show)
    folded = report.chain.broken is None and not any(
        each.kind == "projection" for each in report.consumers
    )
    if open_log is not None and folded:
        async with open_log() as log:
            try:
                await _verify_views(dsn, log, asked, report, show)
                report.orphans = [
                    *await _orphans(dsn),
                    *count_keys(await log.keys.numbers(), sealed.found),
                ]
            except DAMAGED:
                report.unreadable = await find_unreadable(log.store, report.head)
                report.views = None
                if report.unreadable is None:
                    raise
    return report.judged()


async def _verify_views(
    dsn: str, log: Opened, asked: Asked, report: Report, show: Show
) -> None:
    report.seed = asked.seed
    async with open_refold(dsn, (*PROMPT, *LAGGING)) as refold:
        if asked.everything:
            head = refold.position
            report.views = await refold.everything(
                log.store, lambda position: show("folding again", position, head)
            )
        else:
            show("folding sessions again", 0, asked.sample)
            report.views = await refold.sample(log.store, asked.seed, asked.sample)
        # Views that stand before a damaged event follow from what is before it.
        behind = [each for each in refold.stands if each < report.head]
        stopped = await views_stopped(log.store, behind)
        report.unreadable = None if stopped is None else stopped.position
    show("counting orphans", 0, 1)


async def _verify_log(
    dsn: str, asked: Asked, sealed: "_SealedKeys", show: Show
) -> Report:
    """Check the chain, then checkpoints and consumers in one snapshot."""
    db = await asyncpg.connect(dsn)
    try:
        head = await find_head(db)
        started = time.monotonic()
        verified = await verify_chain(
            db,
            head,
            lambda position: show("checking the chain", position, head),
            sealed,
        )
        report = Report(head=head, chain=_chain(verified, started))
        if verified.broken is not None and verified.broken.what == "unreadable":
            return report  # no question to this database has a certain answer
        show("checking signatures", 0, 1)
        async with db.transaction(isolation="repeatable_read", readonly=True):
            await _check_signatures(SignedCheckpoints(db), asked, report)
            report.consumers = await diverged_consumers(db)
        return report
    finally:
        db.terminate()


async def _check_signatures(
    checkpoints: SignedCheckpoints, asked: Asked, report: Report
) -> None:
    newest = await checkpoints.newest()
    report.newest = None if newest is None else printed(newest)
    report.signed = await check_kept(checkpoints, report.head, asked.present)
    if asked.given:
        report.against = await check_against(
            checkpoints, asked.given, report.head, asked.trusted
        )


def _chain(verified: Verified, started: float) -> ChainReport:
    return ChainReport(
        position=verified.position,
        link=verified.link.hex(),
        undigested=verified.undigested,
        broken=verified.broken,
        seconds=round(time.monotonic() - started, 3),
    )


async def _orphans(dsn: str) -> list[Orphans]:
    db = await connect_views(dsn)
    try:
        await db.execute("SET enable_seqscan = on; SET plan_cache_mode = auto")
        async with db.transaction(isolation="repeatable_read", readonly=True):
            return await count_orphans(db)
    finally:
        db.terminate()


class _SealedKeys:
    """The keys events were sealed under, each with the first position that was."""

    def __init__(self) -> None:
        self._mapper = StructMapper(EVENT_BY_TAG, UPCASTERS)
        self.found: dict[int, int] = {}

    def __call__(self, row: Any) -> None:
        try:
            sealing = self._mapper.sealing_of(row["type"], row["data"])
        except Unreadable:
            return  # what was recorded so is nobody's key
        if sealing.key:
            self.found.setdefault(sealing.key, row["position"])
