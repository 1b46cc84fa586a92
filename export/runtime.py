"""On-device runtime: translates with an exported LiteRT directory, without TensorFlow or Keras.

A single file that needs NumPy, SentencePiece and ai-edge-litert only: copy it into your own
project, where it is also a program: `python runtime.py DIR < lines`.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import sentencepiece

FORMAT, FORMAT_VERSION = "keras-bahdanau-litert", 1
FILE_NAME, TOKENIZER_NAME, MANIFEST_NAME = "translator.tflite", "tokenizer.model", "manifest.json"
GOLDEN_NAME = "golden.jsonl"
_SCORES = ("log_probability", "score")
_KEYS = {"beam_width", "files", "length_bound", "max_length", "max_target_length"}
_KEYS |= {"signatures", "special_ids", "vocabulary_size"}
_SENTENCE_END = re.compile(r"(?<=[.!?\u2026])\s+|(?<=[\u3002\uff01\uff1f])")


class ExportedFileError(ValueError):
    """An exported directory is missing, damaged, or of a newer format than this runtime."""


class GoldenDifferenceError(ValueError):
    """A translation differs from what `golden.jsonl` records."""


class LiteTranslator:
    """Translates text with an exported LiteRT directory.

    Thread-safe: calls from several threads run one after the other.

    Args:
        path: the directory that `export_litert` wrote, or its `translator.tflite`.
        num_threads: threads of LiteRT. One sentence hardly gains from more than one.
        split: function `(text, measure, limit) -> parts` for texts beyond the model's limit;
            `split_at_sentences` by default.
        api: LiteRT's `"interpreter"`, or its newer `"compiled-model"`, which gives the same
            translations and writes a dozen log lines to standard error.

    Attributes:
        manifest: dict, the content of `manifest.json`.
        max_length: longest source in tokens, the end token included.
        beam_width: number of hypotheses of `translate_beam`, a constant of the file.

    Raises:
        ExportedFileError: a file is missing, damaged, of another model, or of a newer format.

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
        api: str = "interpreter",
    ):
        if api not in _APIS:
            raise ValueError(f"Argument `api` must be one of {[*_APIS]}. Received: api={api!r}")
        path = Path(path)
        self._directory = path.parent if path.suffix == ".tflite" else path
        self.manifest = _read_manifest(self._directory)
        self.max_length = self.manifest["max_length"]
        self.beam_width = self.manifest["beam_width"]
        self._special = self.manifest["special_ids"]
        self._split = split or split_at_sentences
        file, tokenizer = map(self._read_checked, (FILE_NAME, TOKENIZER_NAME))
        self.tokenizer = sentencepiece.SentencePieceProcessor()
        self._turn = threading.Lock()
        name = TOKENIZER_NAME
        try:
            self.tokenizer.LoadFromSerializedProto(tokenizer)
            name = FILE_NAME
            self._graphs = _APIS[api](file, num_threads)
        except (RuntimeError, ValueError) as error:
            raise self._damaged(name, error) from error
        self._check_agreement()

    def translate(self, texts: Sequence[str], beam_width: int | None = None) -> list[str]:
        """Translates texts.

        A text beyond the model's limit is split at sentence ends (else at spaces), translated part
        by part and joined. A blank text has a blank translation. A single character of more tokens
        than the limit is truncated.

        Args:
            texts: sequence of `str`.
            beam_width: 1 for greedy search, or the file's beam width, the default.

        Returns: one string for each text.
        """
        if isinstance(texts, (str, bytes)):
            raise TypeError(f"Expected a list of texts. Received: one {type(texts).__name__}")
        translations = []
        for text in texts:
            found = [self.search(self._part_ids(p), beam_width) for p in self.parts(text)]
            parts = [self._text(each["token_ids"]) for each in found]
            translations.append(" ".join(part for part in parts if part))
        return translations

    def stream(self, text: str) -> Iterator[str]:
        """Translates one text by greedy search and yields the translation as it is generated.

        The chunks joined are the translation that `translate` with `beam_width=1` returns.
        """
        written = False
        for part in self.parts(text):
            lead = " " if written else ""
            for chunk in self._stream_part(part):
                yield lead + chunk
                lead, written = "", True

    def parts(self, text: str) -> list[str]:
        """The text alone, or its parts if it is beyond the limit; an empty list if it is blank."""
        length = self.source_length(text)
        if length == 1 or not text.strip():
            return []
        if length <= self.max_length:
            return [text]
        return self._split(text, self.source_length, self.max_length)

    def source_ids(self, text: str) -> list[int]:
        """Token ids of a text with the end token, as the signatures take them."""
        if not isinstance(text, str):
            raise TypeError(f"Expected a text. Received: {type(text).__name__}")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(
                "Expected a text that can be written in UTF-8. Received: the lone surrogate "
                f"{text[error.start]!r} at character {error.start}"
            ) from error
        return [*self.tokenizer.EncodeAsIds(text), self._special["end_id"]]

    def source_length(self, text: str) -> int:
        """Number of a text's tokens, the end token included."""
        return len(self.source_ids(text))

    def bound(self, source_length: int) -> int:
        """Default of the signatures' `max_length`: maximum number of tokens of a translation."""
        bound = self.manifest["length_bound"]
        wish = bound["factor"] * source_length + bound["offset"]
        return min(wish, self.manifest["max_target_length"])

    def search(self, source_ids: Sequence[int], beam_width: int | None = None) -> dict:
        """Runs the signature `translate` or `translate_beam`.

        Args:
            source_ids: token ids with the end token, at most `max_length`.
            beam_width: as in `translate`.

        Returns: dict of `token_ids` (list of ids, with the end token where it was generated) and,
            from beam search, `log_probability` and `score`.
        """
        beam_width = self.beam_width if beam_width is None else beam_width
        if beam_width not in (1, self.beam_width):
            raise ValueError(
                f"Expected beam_width 1 (greedy) or {self.beam_width} (fixed in the file). "
                f"Received: beam_width={beam_width}"
            )
        source = self.source_inputs(source_ids)
        source["max_length"] = _scalar(self.bound(len(source_ids)))
        found = self.run("translate_beam" if beam_width > 1 else "translate", source)
        scores = {name: float(found[name][0]) for name in found if name in _SCORES}
        return {"token_ids": found["token_ids"][0, : found["length"][0]].tolist(), **scores}

    def source_inputs(self, source_ids: Sequence[int]) -> dict:
        """The inputs `source_ids` and `source_length` of the signatures, as NumPy arrays."""
        if not 1 <= len(source_ids) <= self.max_length:
            raise ValueError(
                f"Expected 1 to {self.max_length} source ids. Received: {len(source_ids)}"
            )
        size = self.manifest["vocabulary_size"]
        if wrong := [i for i in source_ids if not 0 <= i < size]:
            raise ValueError(f"Expected source ids from 0 to {size - 1}. Received: {wrong[0]}")
        padded = np.full((1, self.max_length), self._special["pad_id"], "int32")
        padded[0, : len(source_ids)] = source_ids
        return {"source_ids": padded, "source_length": _scalar(len(source_ids))}

    def run(self, name: str, inputs: dict) -> dict:
        """Runs one signature: dict of NumPy arrays in, dict of NumPy arrays out."""
        try:
            with self._turn:
                return self._graphs.run(name, inputs)
        except RuntimeError as error:
            raise self._damaged(FILE_NAME, error) from error

    def golden_line(self, text: str) -> dict:
        """The line of `golden.jsonl` for a text within the limit."""
        source_ids = self.source_ids(text)
        line = {
            "text": text,
            "pieces": [self.tokenizer.IdToPiece(i) for i in source_ids[:-1]],
            "source_ids": source_ids,
            "max_length": self.bound(len(source_ids)),
        }
        for name, beam_width in (("greedy", 1), ("beam", self.beam_width)):
            found = self.search(source_ids, beam_width)
            line[name] = {**found, "translation": self._text(found["token_ids"])}
        return line

    def golden_lines(self) -> list[dict]:
        """The lines of `golden.jsonl`, checked.

        Raises:
            ExportedFileError: the file is missing or damaged.
        """
        lines = self._read_checked(GOLDEN_NAME).decode("utf-8", "replace").split("\n")[:-1]
        for index, line in enumerate(lines):
            try:
                lines[index] = json.loads(line)
                lines[index]["stream"] = lines[index]["greedy"]["translation"]
                self.source_ids(lines[index]["text"])
            except (ValueError, KeyError, TypeError) as error:
                raise ExportedFileError(
                    "Expected a golden line. "
                    f"Received: {self._directory / GOLDEN_NAME}, line {index + 1}"
                ) from error
        return lines

    def check_golden(self) -> int:
        """Compares translations with `golden.jsonl`: greedy search, beam search and streaming.

        Returns: the number of lines.

        Raises:
            GoldenDifferenceError: the first difference. Scores may differ by a thousandth.
            ExportedFileError: `golden.jsonl` is missing or damaged.
        """
        lines = self.golden_lines()
        for number, expected in enumerate(lines, start=1):
            where = f"{self._directory / GOLDEN_NAME}, line {number}"
            found = self.golden_line(expected["text"])
            found["stream"] = "".join(self.stream(expected["text"]))
            _compare(expected, found, where)
        return len(lines)

    def _part_ids(self, part):
        *ids, end_id = self.source_ids(part)
        return [*ids[: self.max_length - 1], end_id]

    def _stream_part(self, text):
        source_ids = self._part_ids(text)
        source = self.source_inputs(source_ids)
        carried = self.run("encode", source)
        memory = {name: carried.pop(name) for name in ("memory", "keys")}
        memory["source_length"] = source["source_length"]
        token_ids, written = [], ""
        for _ in range(self.bound(len(source_ids))):
            last = token_ids[-1] if token_ids else self._special["start_id"]
            carried = self.run("decode_step", {"token_id": _scalar(last), **memory, **carried})
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

    def _damaged(self, name, error):
        return ExportedFileError(
            f"Expected a file that works. Received: {self._directory / name}, which is damaged "
            f"({' '.join(str(error).split())})"
        )

    def _read_checked(self, name):
        content = _read(self._directory / name)
        expected = self.manifest["files"].get(name, {"sha256": "", "bytes": 0})
        if hashlib.sha256(content).hexdigest() != expected["sha256"]:
            raise ExportedFileError(
                f"Expected the file that {MANIFEST_NAME} names, of {expected['bytes']} bytes. "
                f"Received: {self._directory / name}, {len(content)} bytes, which is damaged or "
                "another file"
            )
        return content

    def _check_agreement(self):
        number, expected = self.tokenizer.GetPieceSize(), self.manifest["vocabulary_size"]
        if number != expected:
            raise ExportedFileError(
                f"Expected a tokenizer of {expected} pieces. "
                f"Received: {self._directory / TOKENIZER_NAME}, of {number}"
            )
        found, expected = self._graphs.signatures(), self.manifest["signatures"]
        longest = [*expected["encode"]["inputs"]["source_ids"]["shape"]][-1]
        if found != expected or longest != self.max_length:
            differing = [name for name in expected if found.get(name) != expected[name]]
            raise ExportedFileError(
                f"Expected the signatures that {MANIFEST_NAME} describes. Received: "
                f"{self._directory / FILE_NAME}, where {differing or 'max_length'} differs"
            )


class InterpreterGraphs:
    """Runs the signatures of a file with LiteRT's `Interpreter`."""

    def __init__(self, content, num_threads, **options):
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=content, num_threads=num_threads, **options)
        names = interpreter.get_signature_list()
        self._runners = {name: interpreter.get_signature_runner(name) for name in names}

    def signatures(self):
        """`{signature: {"inputs": {name: {"shape": ..., "dtype": ...}}, "outputs": ...}}`."""
        return {
            name: _described(runner.get_input_details(), runner.get_output_details())
            for name, runner in self._runners.items()
        }

    def run(self, name, inputs):
        return self._runners[name](**inputs)


class _CompiledModelGraphs:
    """Runs the signatures of a file with LiteRT's `CompiledModel` on the CPU."""

    def __init__(self, content, num_threads):
        from ai_edge_litert import compiled_model as litert

        options = litert.Options(cpu_options=litert.CpuOptions(num_threads=num_threads))
        # `from_file` does not verify the file: a damaged one would crash the process.
        self._model = litert.CompiledModel.from_buffer(content, options=options)
        self._buffers = {}

    def signatures(self):
        model = self._model
        return {
            name: _described(
                model.get_input_tensor_details(name), model.get_output_tensor_details(name)
            )
            for name in model.get_signature_list()
        }

    def run(self, name, inputs):
        model = self._model
        if name not in self._buffers:
            outputs = model.get_output_tensor_details(name)
            given = {key: model.create_input_buffer_by_name(name, key) for key in inputs}
            results = {key: model.create_output_buffer_by_name(name, key) for key in outputs}
            self._buffers[name] = given, results, outputs
        given, results, outputs = self._buffers[name]
        for key, value in inputs.items():
            given[key].write(value)
        model.run_by_name(name, given, results)
        return {
            key: results[key].read(int(np.prod(of["shape"])), of["dtype"]).reshape(of["shape"])
            for key, of in outputs.items()
        }


_APIS = {"interpreter": InterpreterGraphs, "compiled-model": _CompiledModelGraphs}


def split_at_sentences(text: str, measure: Callable[[str], int], limit: int) -> list[str]:
    """Splits a text into parts within a limit: at sentence ends, else spaces, else inside words."""
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


def _described(*inputs_and_outputs):
    shapes = [
        {
            name: {"shape": [int(n) for n in of["shape"]], "dtype": np.dtype(of["dtype"]).name}
            for name, of in sorted(details.items())
        }
        for details in inputs_and_outputs
    ]
    return dict(zip(("inputs", "outputs"), shapes, strict=True))


def _compare(expected, found, where):
    for name, value in found.items():
        wish = expected.get(name)
        if isinstance(value, dict) and isinstance(wish, dict):
            _compare(wish, value, f"{where}, {name}")
            continue
        are_numbers = isinstance(value, float) and isinstance(wish, float)
        if abs(value - wish) > 1e-3 * max(1, abs(wish)) if are_numbers else value != wish:
            raise GoldenDifferenceError(
                f"Expected {name} {wish!r}, as in {where}. Received: {value!r}"
            )


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


def _read(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise ExportedFileError(
            f"Expected an exported LiteRT directory with {FILE_NAME}, {TOKENIZER_NAME} and "
            f"{MANIFEST_NAME}. Received: {path}, which cannot be read ({error.strerror})"
        ) from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Translates the lines of standard input, or checks a directory. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Translates the lines of standard input.")
    parser.add_argument("path", metavar="DIR", help=f"the exported directory of {FILE_NAME}")
    parser.add_argument("--beam-width", type=int, metavar="N", help="1 for greedy search")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--api", choices=_APIS, default="interpreter", help="LiteRT's API")
    parser.add_argument("--check", action="store_true", help=f"compare with {GOLDEN_NAME} only")
    given = parser.parse_args(arguments)
    try:
        translator = LiteTranslator(given.path, given.threads, api=given.api)
        if given.check:
            print(f"{translator.check_golden()} lines of {GOLDEN_NAME} reproduced")
            return 0
        for number, line in enumerate(sys.stdin.buffer, start=1):
            try:
                text = line.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                message = f"Expected UTF-8. Received: invalid bytes, line {number}"
                raise ValueError(message) from None
            (translation,) = translator.translate([text], given.beam_width)
            sys.stdout.buffer.write(" ".join(translation.splitlines()).encode() + b"\n")
            sys.stdout.buffer.flush()
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
