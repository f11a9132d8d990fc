"""One way to call the SDK's sync methods and their ``.aio`` twins, and what was called.

``await ask(peer).chat("What?")`` calls ``peer.chat`` or awaits ``peer.aio.chat``.
"""

import inspect
from typing import Any


class Voice:
    """Calls in one voice; remembers each method, its parameters and what is missing."""

    def __init__(self, *, asynchronous: bool) -> None:
        self.asynchronous = asynchronous
        self.called: dict[str, set[str]] = {}
        self.missing: set[str] = set()

    def __call__(self, thing: Any) -> "_Asked":
        return _Asked(self, thing)

    def can(self, thing: Any, method: str, *parameters: str) -> bool:
        """Whether this SDK has the method with the parameters; what not, is missing."""
        kind = type(thing).__name__
        offered = getattr(thing, method, None)
        if offered is None:
            self.missing.add(f"{kind}.{method}")
            return False
        if not callable(offered):
            return True
        unknown = set(parameters) - set(inspect.signature(offered).parameters)
        self.missing |= {f"{kind}.{method}({each})" for each in unknown}
        return not unknown

    def spoken(self, thing: Any, method: str) -> Any:
        """Find the method in this voice; what only builds has no ``.aio`` twin."""
        if self.asynchronous and hasattr(thing, "aio") and hasattr(thing.aio, method):
            thing = thing.aio
        found = getattr(thing, method)
        self.called.setdefault(f"{type(thing).__name__}.{method}", set())
        return found

    def never_called(self, sdk: Any) -> list[str]:
        """What the SDK offers in this voice and nobody called, with its parameters."""
        silent = []
        for name in sorted(sdk.__all__):
            kind = getattr(sdk, name)
            if not inspect.isclass(kind) or kind.__name__ != name:
                continue
            if name.endswith("Aio") == self.asynchronous and name in FACES | AIO_FACES:
                silent += _unheard(kind, self.called)
        return silent


FACES = {"Honcho", "Peer", "Session", "Scope", "ConclusionsView", "ConclusionScope"}
FACES |= {"WorkspaceConclusions"}
AIO_FACES = {f"{name}Aio" for name in FACES}


async def every(pages: Any) -> list[Any]:
    """All items of all pages, by iteration."""
    if hasattr(pages, "__aiter__"):
        return [each async for each in pages]
    return list(pages)


def settings(configuration: Any) -> Any:
    """What a configuration sets; some versions refresh to a plain dict, some do not."""
    if isinstance(configuration, dict):
        return {
            key: settings(each)
            for key, each in configuration.items()
            if each is not None
        }
    if hasattr(configuration, "model_dump"):
        return configuration.model_dump(exclude_none=True)
    return configuration


class _Asked:
    def __init__(self, voice: Voice, thing: Any) -> None:
        self._voice = voice
        self._thing = thing

    def __getattr__(self, method: str) -> Any:
        call = self._voice.spoken(self._thing, method)
        face = getattr(call, "__self__", self._thing)

        async def answer(*arguments: Any, **named: Any) -> Any:
            heard = self._voice.called[f"{type(face).__name__}.{method}"]
            heard |= set(inspect.signature(call).bind(*arguments, **named).arguments)
            answered = call(*arguments, **named)
            return await answered if inspect.isawaitable(answered) else answered

        return answer


def _unheard(kind: Any, called: dict[str, set[str]]) -> list[str]:
    silent = []
    for method in dir(kind):
        offered = inspect.getattr_static(kind, method)
        if method.startswith(("_", "model_")) or not inspect.isroutine(offered):
            continue
        if not offered.__module__.startswith("honcho."):
            continue
        spoken = f"{kind.__name__}.{method}"
        if spoken not in called:
            silent.append(spoken)
            continue
        parameters = set(inspect.signature(offered).parameters) - {"self"}
        silent += [f"{spoken}({each})" for each in sorted(parameters - called[spoken])]
    return silent
