"""What ``palimpsest verify`` found, line by line; what is wrong begins with BROKEN."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.markup import escape

from infra.postgres.verify import Break
from infra.proof.comparison import Difference
from infra.proof.history import Signed
from infra.proof.orphans import Orphans
from infra.proof.refold import Refolded
from infra.proof.verification import ChainReport, Report

_WHAT: Final = {
    "missing": "no event stands there",
    "changed": "its bytes are not those that were recorded",
    "digest": "its digest was taken away",
    "link": "it does not lead on from the commit before",
    "unfinished": "the newest commit is not whole: its end is gone",
    "unreadable": "the database cannot read it",
}


def lines_of(report: Report) -> Iterator[str]:
    """Tell a report to a person, as markup of rich."""
    yield from _chain(report.chain, report.head)
    if report.signed is not None:
        yield from _signed(report.signed)
        yield from _told(report)
    if report.unreadable is not None:
        yield _broken(
            f"position {report.unreadable} cannot be opened, though the chain holds:"
            " it was recorded so, or the chain was made anew"
        )
    if report.views is not None:
        yield from _views(report.views, report.seed)
    if report.orphans is not None:
        yield from _orphans(report.orphans)
    if report.ok:
        yield "[green]all of it holds[/]"
    else:
        yield "[bold red]not all of it holds[/]"


def _told(report: Report) -> Iterator[str]:
    for refuted in report.against or []:
        yield _broken(f"against the file: {refuted}")
    if report.against == []:
        yield _fine("the log holds what the file was told")
    for diverged in report.consumers:
        yield _broken(str(diverged))
    if not report.consumers:
        yield _fine("whoever follows the log followed this one")


def _orphans(counted: Sequence[Orphans]) -> Iterator[str]:
    for each in counted:
        if each.count and each.weight == "error":
            yield _broken(f"{each.count} {each.name}: {each.example}")
        elif each.count:
            yield f"  {each.count} {escape(each.name)} ({each.weight})"
    if not any(each.count for each in counted if each.weight == "error"):
        yield _fine("nothing hangs in the air")


def _chain(chain: ChainReport, head: int) -> Iterator[str]:
    if chain.broken is None:
        yield _fine(f"chain of {head} events, {_rate(head, chain.seconds)}")
    else:
        yield _broken(_place(chain.broken))
        yield f"  what comes before holds, up to position {chain.position}"
    if chain.undigested:
        yield (
            f"  {chain.undigested} events are from before each had a digest: there a"
            " change is named by its commit"
        )


def _place(broken: Break) -> str:
    at = f"position {broken.position}"
    if broken.event is not None:
        at += f" (event {broken.event})"
    if broken.first != broken.position:
        at += f", or one from {broken.first} on"
    return f"chain at {at}: {_WHAT[broken.what]}"


def _signed(signed: Signed) -> Iterator[str]:
    for each in signed.refuted:
        yield _broken(f"checkpoint: {each}")
    if not signed.refuted:
        yield _fine(f"{signed.checkpoints} signed checkpoints")
    for key in signed.keys:
        whose = "signs here now" if key.present else "is not the key of here and now"
        yield (
            f"  key {key.key_id} signed {key.checkpoints}, up to position"
            f" {key.position}, and {whose}"
        )


def _views(views: Refolded, seed: str) -> Iterator[str]:
    if views.sessions is None:
        which = "views of the other workspaces" if views.erasing else "all views"
        told = f"{which} at position {views.position}"
    else:
        told = (
            f"views of {len(views.sessions)} sessions ({views.events} events, seed"
            f" {seed}) at position {views.position}"
        )
    for each in views.differences:
        yield _broken(_difference(each))
    if not views.differences:
        yield _fine(f"{told} follow from the log")
    if views.not_compared:
        yield f"  compared only with --all: {', '.join(views.not_compared)}"
    if views.erasing:
        part = "sessions" if views.sessions is not None else "all"
        yield (
            f"  not compared, {part} of these workspaces, where words are being erased:"
            f" {escape(', '.join(views.erasing))}"
        )


def _difference(found: Difference) -> str:
    named = ", ".join(f"{name} {value}" for name, value in found.key.items())
    since = "" if found.position is None else f", since position {found.position}"
    match found.only:
        case "live":
            what = "is shown, but does not follow from the log"
        case "folded":
            what = "follows from the log, but is not shown"
        case _:
            what = f"is shown with another {', '.join(found.columns)}"
    return f"view {found.table}: {named}{since}: {what}"


def _rate(events: int, seconds: float) -> str:
    rate = f", {events / seconds:,.0f}/s" if seconds else ""
    return f"{seconds:.1f} s{rate}"


def _fine(text: str) -> str:
    return f"[green]ok[/] {escape(text)}"


def _broken(text: str) -> str:
    return f"[bold red]BROKEN[/] {escape(text)}"
