"""A model of no latency for measurements: in this process, or behind a socket.

``ScriptedModel`` is a ``LanguageModel`` that answers from a function. ``model_server``
is a process that speaks the OpenAI protocol on loopback and answers the same at once,
or after a wait, so that what is measured is our side of a call and the socket; it has
vectors, too, without a wait. Neither counts anything but words: four of them are five
tokens.
"""

import asyncio
import contextlib
import hashlib
import json
import re
import subprocess
import sys
from array import array
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from processors.language_model import (
    Completion,
    JsonSchema,
    Prompt,
    Structured,
    Usage,
)

ROOT = Path(__file__).parents[2]
DIMENSIONS = 384

Answers = Callable[[str], Any]
"""From all that was said to the model: a text, or a value where one is asked for."""


class ScriptedModel:
    """Fulfils ``processors.language_model.LanguageModel`` without asking anybody."""

    transport = "scripted"
    model = "scripted"

    def __init__(self, answers: Answers | None = None) -> None:
        self._answers = answers or state_lines
        self.calls = 0

    @property
    def parameters(self) -> Mapping[str, str]:
        return {}

    async def complete(self, prompt: Prompt) -> Completion:
        """See the port."""
        said = said_in(prompt)
        answer = self._answers(said)
        self.calls += 1
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return Completion(
            text=text,
            model=self.model,
            usage=Usage(input=tokens_of(said), output=tokens_of(text)),
        )

    async def stream(
        self,
        prompt: Prompt,
        schema: JsonSchema | None = None,  # noqa: ARG002  the answer says its form
    ) -> AsyncGenerator[str | Completion, None]:
        """See the port."""
        completion = await self.complete(prompt)
        for piece in re.findall(r"\s*\S+|\s+$", completion.text):
            yield piece
        yield completion

    async def structured(
        self,
        prompt: Prompt,
        schema: JsonSchema,  # noqa: ARG002  the answer says its form
    ) -> Structured:
        """See the port."""
        completion = await self.complete(prompt)
        return Structured(json.loads(completion.text), completion)


def said_in(prompt: Prompt) -> str:
    """All that is said in a prompt."""
    return "\n".join(turn.content for turn in prompt.turns)


def state_lines(said: str) -> Any:
    """Answer as a good deriver would: a fact for each numbered line of each peer.

    Where no peers are named, and so no facts are wanted, it is a short text.
    """
    _, named, told = said.partition("The peers:")
    if not named:
        return "It was said."
    peers = set(re.findall(r"^- (\S+)$", told, re.MULTILINE))
    lines = re.findall(r"^\[(\d+)\] \S+ \S+ (\S+): (.*)$", told, re.MULTILINE)
    return {
        "explicit": [
            {
                "peer": peer,
                "content": f"{peer} said: {words}",
                "evidence": [int(number)],
            }
            for number, peer, words in lines
            if peer in peers
        ]
    }


def state_first(said: str) -> Any:
    """Answer the same, of the first numbered line only."""
    answer = state_lines(said)
    if isinstance(answer, dict):
        answer["explicit"] = answer["explicit"][:1]
    return answer


def tokens_of(text: str) -> int:
    """Guess the tokens of a text by its words."""
    return len(text.split()) * 5 // 4


@contextlib.contextmanager
def model_server(answers: str = "state_lines", wait: float = 0) -> Iterator[str]:
    """The address of a server of its own that answers by a function of this module.

    Each answer comes ``wait`` seconds after its question, however many are asked.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.scripted_model", answers, str(wait)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


async def _serve(answers: Answers, wait: float) -> None:
    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                found = re.search(r"content-length: (\d+)", head)
                size = int(found[1]) if found else 0
                body = json.loads(await reader.readexactly(size) or b"{}")
                if "input" in body:
                    writer.write(_vectors(body))
                else:
                    await asyncio.sleep(wait)
                    writer.write(_reply(body, answers))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    print(f"http://{host}:{port}/v1", flush=True)
    async with server:
        await server.serve_forever()


def _reply(body: Mapping[str, Any], answers: Answers) -> bytes:
    said = "\n".join(str(each["content"] or "") for each in body["messages"])
    answer = answers(said)
    text = answer if isinstance(answer, str) else json.dumps(answer)
    spent = tokens_of(said), tokens_of(text)
    usage = {"prompt_tokens": spent[0], "completion_tokens": spent[1]}
    usage["total_tokens"] = sum(spent)
    whole = {"id": "s", "created": 1, "model": body["model"]}
    if not body.get("stream"):
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        whole |= {"object": "chat.completion", "choices": [choice], "usage": usage}
        return _http(json.dumps(whole), "application/json")
    whole["object"] = "chat.completion.chunk"
    events = [
        whole | {"choices": [{"index": 0, "delta": {"content": piece}}]}
        for piece in re.findall(r"\s*\S+|\s+$", text)
    ]
    ends = {"index": 0, "delta": {}, "finish_reason": "stop"}
    events += [whole | {"choices": [ends]}, whole | {"choices": [], "usage": usage}]
    sent = [json.dumps(each) for each in events] + ["[DONE]"]
    return _http("".join(f"data: {each}\n\n" for each in sent), "text/event-stream")


def _vectors(body: Mapping[str, Any]) -> bytes:
    """Return vectors that tell texts apart, and mean nothing."""
    data = [
        {"object": "embedding", "index": number, "embedding": _vector(text)}
        for number, text in enumerate(body["input"])
    ]
    spent = sum(tokens_of(text) for text in body["input"])
    usage = {"prompt_tokens": spent, "total_tokens": spent}
    whole = {"object": "list", "model": body["model"], "data": data, "usage": usage}
    return _http(json.dumps(whole), "application/json")


def _vector(text: str) -> str:
    drawn = hashlib.shake_256(text.encode()).digest(DIMENSIONS)
    return b64encode(array("f", (each - 127.5 for each in drawn)).tobytes()).decode()


def _http(text: str, kind: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n"
    return f"{head}content-length: {len(text.encode())}\r\n\r\n{text}".encode()


if __name__ == "__main__":
    asyncio.run(_serve(globals()[sys.argv[1]], float(sys.argv[2])))
