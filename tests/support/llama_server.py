"""llama.cpp's server on loopback with a small model: ``llama_server FILE PORT``.

A process of its own, since the server ends with it only. One thread: two that wait for
each other spin away what others need on a machine of two cores.
"""

import sys
import threading
from pathlib import Path

TEMPLATE = Path(__file__).parent / "chat_template.jinja"
"""The model is no chat model and brings none; this one knows tools."""


def serve(file: str, port: int) -> None:
    """Answer over the OpenAI protocol until killed."""
    import xllamacpp  # noqa: PLC0415  of the group live, which others do without

    params = xllamacpp.CommonParams()
    params.model.path = file
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = 16_384
    params.n_parallel = 1
    params.chat_template = TEMPLATE.read_text()
    params.antiprompt = ["<|im_end|>"]
    params.warmup = False
    params.offline = True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    print("listening on", server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
