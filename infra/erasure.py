"""Everything that follows by itself, kept from what is erased, and what erases."""

from collections.abc import Sequence

from commands.decide import Decide
from commands.ports import Clock
from infra.holdings import StoredHoldings
from processors.erase_session import EraseSession
from processors.erase_workspace import EraseWorkspace
from processors.living import Living
from processors.processor import Processor


def with_erasure(
    processors: Sequence[Processor],
    decide: Decide,
    holdings: StoredHoldings,
    clock: Clock,
) -> tuple[Processor, ...]:
    """Return the processors, each given only what is living, and those that erase."""
    return (
        *(Living(each, decide) for each in processors),
        EraseSession(decide, holdings, clock),
        EraseWorkspace(decide, holdings, clock),
    )
