"""``palimpsest demo``: a tour of what there is, on data that goes again."""

from infra.cli.one_line import run
from infra.settings import Settings


def demo() -> None:
    """Show it all in a temporary folder: load, process, ask, trace."""
    run(_demo)


async def _demo(settings: Settings) -> None:
    # Commands that only look are quicker without the server's packages.
    from infra.cli.tour import tour  # noqa: PLC0415

    await tour(settings)
