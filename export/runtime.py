"""Translates on a device: reads an exported LiteRT directory and needs no TensorFlow or Keras.

This file stands alone: it needs NumPy, SentencePiece and ai-edge-litert, and can be copied into a
project of its own.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import sentencepiece
from ai_edge_litert.interpreter import Interpreter

FORMAT, FORMAT_VERSION = "keras-bahdanau-litert", 1
FILE_NAME, TOKENIZER_NAME, MANIFEST_NAME = "translator.tflite", "tokenizer.model", "manifest.json"
_SCORES = ("log_probability", "score")
_KEYS = {"beam_width", "files", "length_bound", "max_length", "max_target_length", "special_ids"}
_SENTENCE_END = re.compile(r"(?<=[.!?\u2026])\s+|(?<=[\u3002\uff01\uff1f])")


class ExportedFileError(ValueError):
    """An exported directory is missing, damaged, or newer than this runtime."""


class LiteTranslator:
    """Translates text with an exported LiteRT directory.

    Args:
        path: the directory that `export_litert` wrote, or its `translator.tflite`.
        num_threads: threads of the interpreter. One sentence hardly gains from more than one.
        split: function `(text, measure, limit) -> parts` for texts beyond the model's limit;
            `split_at_sentences` by default.

    Attributes:
        manifest: dict of what `manifest.json` says.
        max_length: longest source in pieces, the end token included.
        beam_width: number of hypotheses of the file's beam search.

    Raises:
        ExportedFileError: a file is missing, damaged, or of a newer format.

    Example:

    >>> translator = LiteTranslator("my-model/litert")
    >>> translator.translate(["A dog runs."])
    ['Ein Hund rennt.']
    """

    def __init__(
        self,
        path: str | os.PathLike,
        num_threads: int = 1,
        split: Callable[[str, Callable[[str], int], int], list[str]] | None = None,
    ):
        path = Path(path)
        directory = path.parent if path.suffix == ".tflite" else path
        self.manifest = _read_manifest(directory)
        self.max_length = self.manifest["max_length"]
        self.beam_width = self.manifest["beam_width"]
        self._special = self.manifest["special_ids"]
        self._split = split or split_at_sentences
        file, tokenizer = (
            _read_checked(directory, name, self.manifest) for name in (FILE_NAME, TOKENIZER_NAME)
        )
        self.tokenizer = sentencepiece.SentencePieceProcessor()
        self.tokenizer.LoadFromSerializedProto(tokenizer)
        self._interpreter = Interpreter(model_content=file, num_threads=num_threads)
        self._runners = {}

    def translate(self, texts: Sequence[str], beam_width: int | None = None) -> list[str]:
        """Translates texts.

        A text beyond the model's limit is cut at sentence ends (else at spaces), translated part
        by part and joined. A blank text has a blank translation.

        Args:
            texts: the texts.
            beam_width: 1 for greedy search, or the file's own beam width, the default.

        Returns: one string for each text.
        """
        if isinstance(texts, (str, bytes)):
            raise TypeError(f"Expected a list of texts. Received: one {type(texts).__name__}")
        translations = []
        for text in texts:
            found = [self.search(self.source_ids(p), beam_width) for p in self.parts(text)]
            parts = [self._text(each["token_ids"]) for each in found]
            translations.append(" ".join(part for part in parts if part))
        return translations

    def stream(self, text: str) -> Iterator[str]:
        """Translates one text by greedy search and yields each bit of text as it is generated.

        The bits joined are the translation that `translate` with `beam_width=1` returns.
        """
        written = False
        for part in self.parts(text):
            lead = " " if written else ""
            for bit in self._stream_part(part):
                yield lead + bit
                lead, written = "", True

    def parts(self, text: str) -> list[str]:
        """The text itself, its parts where it is beyond the limit, none where it is blank."""
        length = self.source_length(text)
        if length == 1 or not text.strip():
            return []
        if length <= self.max_length:
            return [text]
        return self._split(text, self.source_length, self.max_length)

    def source_ids(self, text: str) -> list[int]:
        """Ids of a text's pieces and the end token: what the file's signatures take."""
        return [*self.tokenizer.EncodeAsIds(text), self._special["end_id"]]

    def source_length(self, text: str) -> int:
        """Number of a text's pieces, the end token included."""
        return len(self.source_ids(text))

    def bound(self, source_length: int) -> int:
        """Number of tokens that the translation of a source may have at most."""
        bound = self.manifest["length_bound"]
        wish = bound["factor"] * source_length + bound["offset"]
        return min(wish, self.manifest["max_target_length"])

    def search(self, source_ids: Sequence[int], beam_width: int | None = None) -> dict:
        """Runs `translate` or `translate_beam` on ids.

        Args:
            source_ids: ids with the end token, at most `max_length`.
            beam_width: as in `translate`.

        Returns: dict of `token_ids` (list of ids, the end token included where it was generated)
            and, from a beam, `log_probability` and `score`.
        """
        beam_width = self.beam_width if beam_width is None else beam_width
        if beam_width not in (1, self.beam_width):
            raise ValueError(
                f"Expected beam_width 1 (greedy) or {self.beam_width} (fixed in the file). "
                f"Received: beam_width={beam_width}"
            )
        found = self._run(
            "translate_beam" if beam_width > 1 else "translate",
            **self._source(source_ids),
            max_length=_scalar(self.bound(len(source_ids))),
        )
        scores = {name: float(found[name][0]) for name in found if name in _SCORES}
        return {"token_ids": found["token_ids"][0, : found["length"][0]].tolist(), **scores}

    def _stream_part(self, text):
        source_ids = self.source_ids(text)
        source = self._source(source_ids)
        carried = self._run("encode", **source)
        memory = {name: carried.pop(name) for name in ("memory", "keys")}
        memory["source_length"] = source["source_length"]
        token_ids, written = [], ""
        for _ in range(self.bound(len(source_ids))):
            last = token_ids[-1] if token_ids else self._special["start_id"]
            carried = self._run("decode_step", token_id=_scalar(last), **memory, **carried)
            del carried["attention_scores"]
            token_ids.append(self._best(carried.pop("logits")[0]))
            if token_ids[-1] == self._special["end_id"]:
                break
            text = self._text(token_ids)
            if len(text) > len(written):
                yield text[len(written) :]
                written = text
        if rest := self._text(token_ids)[len(written) :]:
            yield rest

    def _best(self, logits):
        for name in ("pad_id", "unknown_id", "start_id"):
            logits[self._special[name]] = -np.inf
        return int(np.argmax(logits))

    def _text(self, token_ids):
        special = self._special.values()
        return self.tokenizer.DecodeIds([i for i in token_ids if i not in special])

    def _source(self, source_ids):
        if not 1 <= len(source_ids) <= self.max_length:
            raise ValueError(
                f"Expected 1 to {self.max_length} source ids. Received: {len(source_ids)}"
            )
        padded = np.full((1, self.max_length), self._special["pad_id"], "int32")
        padded[0, : len(source_ids)] = source_ids
        return {"source_ids": padded, "source_length": _scalar(len(source_ids))}

    def _run(self, name, **inputs):
        if name not in self._runners:
            self._runners[name] = self._interpreter.get_signature_runner(name)
        return self._runners[name](**inputs)


def split_at_sentences(text: str, measure: Callable[[str], int], limit: int) -> list[str]:
    """Cuts a text into parts that fit: at sentence ends, else at spaces, else in half words."""
    parts = []
    for sentence in _SENTENCE_END.split(text.strip()):
        for unit in [sentence] if measure(sentence) <= limit else sentence.split():
            joined = f"{parts[-1]} {unit}" if parts else unit
            if parts and measure(joined) <= limit:
                parts[-1] = joined
            else:
                parts += _halves(unit, measure, limit)
    return parts


def _halves(word, measure, limit):
    if len(word) < 2 or measure(word) <= limit:
        return [word] if word else []
    middle = len(word) // 2
    return _halves(word[:middle], measure, limit) + _halves(word[middle:], measure, limit)


def _scalar(number):
    return np.array([number], "int32")


def _read_manifest(directory):
    path = directory / MANIFEST_NAME
    content = _read(path)
    try:
        manifest = json.loads(content.decode("utf-8"))
        name, version = manifest["format"], manifest["format_version"]
        is_whole = version != FORMAT_VERSION or _KEYS <= manifest.keys()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExportedFileError(
            f"Expected a manifest in JSON. Received: {path}, which is damaged"
        ) from error
    if not is_whole or name != FORMAT or not isinstance(version, int) or version > FORMAT_VERSION:
        raise ExportedFileError(
            f"Expected format {FORMAT}, version {FORMAT_VERSION} at most. "
            f"Received: {path}, format {name}, version {version}"
        )
    return manifest


def _read_checked(directory, name, manifest):
    content = _read(directory / name)
    expected = manifest["files"][name]
    if hashlib.sha256(content).hexdigest() != expected["sha256"]:
        raise ExportedFileError(
            f"Expected the file that {MANIFEST_NAME} names, of {expected['bytes']} bytes. "
            f"Received: {directory / name}, {len(content)} bytes, which is damaged or another file"
        )
    return content


def _read(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise ExportedFileError(
            f"Expected an exported LiteRT directory with {FILE_NAME}, {TOKENIZER_NAME} and "
            f"{MANIFEST_NAME}. Received: {path}, which cannot be read ({error.strerror})"
        ) from error
