"""The files beside an exported LiteRT file: golden lines, manifest."""

import hashlib
import json
from pathlib import Path

from ai_edge_litert.interpreter import Interpreter, OpResolverType

from keras_bahdanau.export import runtime


def signature_description(content):
    """Names, shapes and dtypes of a LiteRT file's inputs and outputs, by signature.

    Args:
        content: `bytes` of the file.

    Returns: dict of signature name to `{"inputs": {name: {"shape", "dtype"}}, "outputs": ...}`.
    """
    interpreter = Interpreter(model_content=content, num_threads=1)
    description = {}
    for name in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(name)
        description[name] = {
            "inputs": _tensors(runner.get_input_details()),
            "outputs": _tensors(runner.get_output_details()),
        }
    return description


def _tensors(details):
    return {
        name: {
            "shape": [int(size) for size in detail["shape"]],
            "dtype": detail["dtype"].__name__,
        }
        for name, detail in sorted(details.items())
    }


def write_json(path, value):
    text = json.dumps(value, ensure_ascii=False, indent=1)
    Path(path).write_text(text + "\n", encoding="utf-8")


def write_manifest(directory, description):
    """Writes `manifest.json` with the size and SHA-256 of every file that is there by now.

    Args:
        directory: the exported directory.
        description: dict of what else the manifest says.
    """
    directory = Path(directory)
    files = {}
    for path in sorted(directory.iterdir()):
        if path.name != runtime.MANIFEST_NAME:
            content = path.read_bytes()
            files[path.name] = {
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
    write_json(
        directory / runtime.MANIFEST_NAME,
        {
            "format": runtime.FORMAT,
            "format_version": runtime.FORMAT_VERSION,
            **description,
            "files": files,
        },
    )


def write_golden(directory, texts):
    """Runs the exported file on `texts` and writes what a port must reproduce.

    Each line of `golden.jsonl` is a JSON object: `text`, `pieces`, `source_ids` (with the end
    token), `max_length` (the bound on generated tokens), and for `greedy` and `beam` the
    `token_ids` (with the end token where it was generated) and the `translation`; `beam` has
    `log_probability` and `score` too.

    Blank texts and texts beyond the limit are left out, and so are those whose translation hangs on
    how a processor rounds: LiteRT has two sets of kernels, and these translate them differently. In
    int8 a rounding that falls otherwise changes logits by some hundredths.

    Args:
        directory: an exported directory with a manifest.
        texts: iterable of `str`.
    """
    translator = runtime.LiteTranslator(directory)
    others = OtherKernels(directory)
    lines = []
    for text in texts:
        if text.strip() and translator.source_length(text) <= translator.max_length:
            line = translator.golden_line(text)
            if _has_same_tokens(line, others.golden_line(text)):
                lines.append(json.dumps(line, ensure_ascii=False))
    path = Path(directory) / runtime.GOLDEN_NAME
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


class OtherKernels(runtime.LiteTranslator):
    """The same file on LiteRT's own kernels in place of XNNPACK's."""

    def __init__(self, directory):
        super().__init__(directory)
        self._graphs = runtime.InterpreterGraphs(
            (Path(directory) / runtime.FILE_NAME).read_bytes(),
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )


def _has_same_tokens(line, other):
    return all(line[name]["token_ids"] == other[name]["token_ids"] for name in ("greedy", "beam"))
