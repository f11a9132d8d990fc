"""A group of views as this process knows it, whichever process folds it."""

from typing import Protocol

from infra.fold_failure import Failure


class FoldedViews(Protocol):
    """How far a group of views is; fulfils ``commands.ports.Views``.

    ``failed`` is why it does not go on, where this process folds it.
    """

    @property
    def names(self) -> list[str]: ...

    @property
    def position(self) -> int: ...

    @property
    def failed(self) -> Failure | None: ...

    async def wait_for(self, position: int, timeout: float) -> bool: ...  # noqa: ASYNC109  the bound is the point

    async def passed(self, position: int) -> None: ...
