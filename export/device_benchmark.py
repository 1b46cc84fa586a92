"""Measures exported LiteRT directories on this machine. Needs no TensorFlow or Keras."""

import importlib.metadata
import itertools
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from keras_bahdanau.errors import InputError
from keras_bahdanau.quiet import silenced_native_logs

from .runtime import FILE_NAME, ExportedFileError, LiteTranslator

SIGNATURES = ("encode", "decode_step", "translate", "translate_beam")
_COLUMNS = {
    "directory": "directory",
    "quantization": "weights",
    "file_mb": "file MB",
    "api": "API",
    "threads": "threads",
    "signature": "signature",
    "load_ms": "load ms",
    "first_ms": "first ms",
    "median_ms": "median ms",
    "p95_ms": "p95 ms",
    "memory_before_mb": "MB before",
    "peak_memory_mb": "peak MB",
}
_WORDS = ("directory", "quantization", "api", "signature")


def benchmark(
    paths,
    texts=None,
    *,
    apis=("interpreter",),
    threads=(1,),
    signatures=SIGNATURES,
    repeats=5,
    warm_up=1,
    watch=iter,
):
    """Measures every signature of every directory, each in a process of its own.

    Args:
        paths: exported directories, or their `translator.tflite`.
        texts: list of texts; those of the first directory's `golden.jsonl` by default.
        apis: of `"interpreter"` and `"compiled-model"`.
        threads: numbers of threads.
        signatures: some of `encode`, `decode_step`, `translate` and `translate_beam`.
        repeats: measured passes over the texts.
        warm_up: passes before them.
        watch: function that returns an iterable of the list of configurations that it gets, such
            as `tqdm.tqdm`.

    Returns:
        dict for JSON: `machine`, `software`, `texts` (their number, and that of their `pieces`),
        `repeats`, `warm_up`, and `results`, one dict for each configuration: what it is, `file_mb`
        and what `measurement.measure` returns.

    Raises:
        InputError: a directory cannot be opened, or there is nothing to translate.
        ChildProcessError: a process failed.
    """
    directories = [_Directory(path) for path in paths]
    if texts is None:
        texts = directories[0].golden_texts
    pieces = sum(map(directories[0].source_length, texts))
    if pieces == len(texts):
        raise InputError("Expected texts to translate. Received: blank ones only")
    configurations = list(itertools.product(directories, apis, threads, signatures))
    results = []
    for directory, api, number, signature in watch(configurations):
        configuration = {
            "path": directory.path,
            "signature": signature,
            "api": api,
            "num_threads": number,
        }
        given = {**configuration, "texts": texts, "repeats": repeats, "warm_up": warm_up}
        results.append(
            {
                "directory": directory.path,
                "quantization": directory.quantization,
                "file_mb": directory.file_mb,
                "api": api,
                "threads": number,
                "signature": signature,
                **_measured(given),
            }
        )
    return {
        "machine": {"kind": platform.machine(), "system": platform.system(), "cores": _cores()},
        "software": {
            "python": platform.python_version(),
            "ai-edge-litert": importlib.metadata.version("ai-edge-litert"),
        },
        "texts": {"number": len(texts), "pieces": pieces},
        "repeats": repeats,
        "warm_up": warm_up,
        "results": results,
    }


def markdown(report):
    """The results as a Markdown table, below a line that says how they were measured."""
    machine, texts = report["machine"], report["texts"]
    litert = report["software"]["ai-edge-litert"]
    lines = [
        f"{machine['system']} {machine['kind']}, {machine['cores']} cores, ai-edge-litert "
        f"{litert}; {texts['number']} texts of {texts['pieces'] / texts['number']:.1f} pieces on "
        f"average, {report['repeats']} times after {report['warm_up']} to warm up.",
        "",
        _row(_COLUMNS.values()),
        _row("---" if name in _WORDS else "---:" for name in _COLUMNS),
    ]
    lines += [_row(_shown(result[name]) for name in _COLUMNS) for result in report["results"]]
    return "\n".join(lines)


class _Directory:
    """What the table says of an exported directory, which has to be whole."""

    def __init__(self, path):
        try:
            with silenced_native_logs():
                translator = LiteTranslator(path)
            self.golden_texts = [line["text"] for line in translator.golden_lines()]
        except ExportedFileError as error:
            raise InputError(str(error)) from error
        self.path = str(path)
        self.quantization = translator.manifest["quantization"]
        self.file_mb = translator.manifest["files"][FILE_NAME]["bytes"] / 1e6
        self.source_length = translator.source_length


def _measured(configuration):
    process = subprocess.run(
        [sys.executable, "-m", "keras_bahdanau.export.measurement"],
        input=json.dumps(configuration),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if process.returncode:
        lines = process.stderr.splitlines()
        raise ChildProcessError(
            f"Measuring {configuration['signature']} of {Path(configuration['path'])} ended with "
            f"exit code {process.returncode}: {lines[-1] if lines else 'no message'}"
        )
    return json.loads(process.stdout.splitlines()[-1])


def _cores():
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _row(cells):
    return f"| {' | '.join(cells)} |"


def _shown(value):
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
