"""Latency and memory of exported LiteRT directories on this machine, without TensorFlow or Keras.

Each configuration is measured in a process of its own: this module, run as a program, reads a
configuration in JSON on standard input and writes its measurement in JSON on standard output. Peak
memory and loading time would mean nothing in a process that has loaded another file before.
"""

import importlib
import importlib.metadata
import itertools
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from keras_bahdanau.errors import InputError
from keras_bahdanau.quiet import silenced_native_logs

from .runtime import FILE_NAME, ExportedFileError, LiteTranslator

SIGNATURES = ("encode", "decode_step", "translate", "translate_beam")


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
    """Measures the signatures of exported directories, each in a process of its own.

    Args:
        paths: exported directories, or their `translator.tflite`.
        texts: list of texts; those of the first directory's `golden.jsonl` by default.
        apis: some of `"interpreter"` and `"compiled-model"`, see `LiteTranslator`.
        threads: numbers of threads.
        signatures: some of `SIGNATURES`.
        repeats: measured passes over the texts.
        warm_up: unmeasured passes before them.
        watch: wraps the list of configurations to show progress, such as `tqdm.tqdm`.

    Returns:
        dict for JSON: `machine`, `software`, `texts` (their `number` and total `pieces`),
        `repeats`, `warm_up`, and `results`: for each configuration a dict of its `directory`,
        `quantization`, `file_mb`, `api`, `threads`, `signature`, and what `measure` returns.

    Raises:
        InputError: a directory cannot be opened, or all texts are blank.
        ChildProcessError: a measuring process failed.
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
                **_measure_in_process(given),
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


class _Directory:
    """An exported directory: checked, its properties for the report."""

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


def _measure_in_process(configuration):
    process = subprocess.run(
        [sys.executable, "-m", "keras_bahdanau.export.device_benchmark"],
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
    """Number of cores available to this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


_LIBRARIES = {"interpreter": "interpreter", "compiled-model": "compiled_model"}


def measure(path, signature, texts, *, api, num_threads, repeats, warm_up):
    """Measures one signature of an exported directory in this process.

    Args:
        path: the exported directory.
        signature: one of `SIGNATURES`.
        texts: list of texts. Each call takes one text, or one part of a text beyond the limit;
            tokenization is not measured. `decode_step` computes the first step.
        api, num_threads: as in `LiteTranslator`.
        repeats: measured passes over the texts.
        warm_up: unmeasured passes before them.

    Returns:
        dict of `load_ms` (opening the directory), `first_ms` (the first call, which allocates
        tensors), `median_ms`, `p95_ms`, `mean_ms`, `calls`, `memory_before_mb` (the process with
        its libraries, before the directory is opened) and `peak_memory_mb` (its highest resident
        memory). Memory is `None` where the system does not report it.
    """
    importlib.import_module(f"ai_edge_litert.{_LIBRARIES[api]}")
    memory_before, _ = memory_in_mb()
    start = time.perf_counter()
    translator = LiteTranslator(path, num_threads, api=api)
    load = time.perf_counter() - start
    parts = [part for text in texts for part in translator.parts(text)]
    sources = [translator.source_ids(part) for part in parts]
    first, *_ = _call_seconds(translator, signature, sources[:1])
    for _ in range(warm_up):
        _call_seconds(translator, signature, sources)
    times = [each for _ in range(repeats) for each in _call_seconds(translator, signature, sources)]
    _, peak_memory = memory_in_mb()
    median, p95 = np.percentile(times, [50, 95])
    return {
        "load_ms": 1e3 * load,
        "first_ms": 1e3 * first,
        "median_ms": 1e3 * float(median),
        "p95_ms": 1e3 * float(p95),
        "mean_ms": 1e3 * float(np.mean(times)),
        "calls": len(times),
        "memory_before_mb": memory_before,
        "peak_memory_mb": peak_memory,
    }


def _call_seconds(translator, signature, sources):
    """Seconds of each call, one for each list of ids."""
    times = []
    for source_ids in sources:
        inputs = _call_inputs(translator, signature, source_ids)
        start = time.perf_counter()
        translator.run(signature, inputs)
        times.append(time.perf_counter() - start)
    return times


def _call_inputs(translator, signature, source_ids):
    inputs = translator.source_inputs(source_ids)
    if signature.startswith("translate"):
        return {**inputs, "max_length": np.array([translator.bound(len(source_ids))], "int32")}
    if signature == "decode_step":
        # Encoded before each call: kept encodings would count as memory.
        start_id = translator.manifest["special_ids"]["start_id"]
        encoded = translator.run("encode", inputs)
        length = inputs["source_length"]
        return {"token_id": np.array([start_id], "int32"), "source_length": length, **encoded}
    return inputs


def memory_in_mb():
    """Resident memory of the process, now and at its peak, in MB; `None` where unknown."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            fields = dict(line.split(":", 1) for line in file)
        # On Linux, `getrusage` starts with the peak of the parent process.
        return tuple(int(fields[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    except (OSError, KeyError):
        pass
    try:
        import resource
    except ModuleNotFoundError:
        return None, None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    peak *= 1 if sys.platform == "darwin" else 1024
    return peak, peak


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
_TEXT_COLUMNS = ("directory", "quantization", "api", "signature")


def markdown(report):
    """The report as a Markdown table below a line about machine, software and texts."""
    machine, texts = report["machine"], report["texts"]
    litert = report["software"]["ai-edge-litert"]
    lines = [
        f"{machine['system']} {machine['kind']}, {machine['cores']} cores, ai-edge-litert "
        f"{litert}; {texts['number']} texts of {texts['pieces'] / texts['number']:.1f} pieces on "
        f"average, {report['repeats']} times after {report['warm_up']} to warm up.",
        "",
        _row(_COLUMNS.values()),
        _row("---" if name in _TEXT_COLUMNS else "---:" for name in _COLUMNS),
    ]
    lines += [_row(_cell(result[name]) for name in _COLUMNS) for result in report["results"]]
    return "\n".join(lines)


def _row(cells):
    return f"| {' | '.join(cells)} |"


def _cell(value):
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


if __name__ == "__main__":
    print(json.dumps(measure(**json.load(sys.stdin))))
