"""Measures one signature of an exported LiteRT directory, in a process of its own.

`keras_bahdanau.export.device_benchmark` starts this module as a program: a configuration in JSON on
standard input, what was measured in JSON on standard output. Peak memory and the time of opening a
file mean nothing in a process that has opened another before.
"""

import importlib
import json
import sys
import time

import numpy as np

from .runtime import LiteTranslator

_LIBRARIES = {"interpreter": "interpreter", "compiled-model": "compiled_model"}


def measure(path, signature, texts, *, api, num_threads, repeats, warm_up):
    """Opens a directory and runs one of its signatures.

    Args:
        path: the exported directory.
        signature: `encode`, `decode_step`, `translate` or `translate_beam`.
        texts: list of texts. Each call is one text, or one part of a text beyond the limit;
            tokenization is not measured. `decode_step` makes the first step of each.
        api, num_threads: as of `LiteTranslator`.
        repeats: passes over the texts.
        warm_up: passes before them that are not measured.

    Returns:
        dict of `load_ms` (opening the directory), `first_ms` (the first call, which prepares the
        signature), `median_ms`, `p95_ms`, `mean_ms`, `calls`, `memory_before_mb` (of the process
        with its libraries, before the directory is opened) and `peak_memory_mb` (of the whole
        process). Memory is `None` where the system does not tell.
    """
    importlib.import_module(f"ai_edge_litert.{_LIBRARIES[api]}")
    memory_before, _ = memory_in_mb()
    start = time.perf_counter()
    translator = LiteTranslator(path, num_threads, api=api)
    load = time.perf_counter() - start
    parts = [part for text in texts for part in translator.parts(text)]
    sources = [translator.source_ids(part) for part in parts]
    first, *_ = _seconds(translator, signature, sources[:1])
    for _ in range(warm_up):
        _seconds(translator, signature, sources)
    times = [each for _ in range(repeats) for each in _seconds(translator, signature, sources)]
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


def _seconds(translator, signature, sources):
    """How long the signature takes for each list of ids."""
    times = []
    for source_ids in sources:
        inputs = _inputs(translator, signature, source_ids)
        start = time.perf_counter()
        translator.run(signature, inputs)
        times.append(time.perf_counter() - start)
    return times


def _inputs(translator, signature, source_ids):
    inputs = translator.source_inputs(source_ids)
    if signature.startswith("translate"):
        return {**inputs, "max_length": np.array([translator.bound(len(source_ids))], "int32")}
    if signature == "decode_step":
        # Encoded anew each time, because all sentences' encodings would count as memory.
        start_id = translator.manifest["special_ids"]["start_id"]
        encoded = translator.run("encode", inputs)
        length = inputs["source_length"]
        return {"token_id": np.array([start_id], "int32"), "source_length": length, **encoded}
    return inputs


def memory_in_mb():
    """What the process has in memory now, and the most that it had, in MB or `None`."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            fields = dict(line.split(":", 1) for line in file)
        # What `getrusage` tells on Linux begins with the peak of the process that started this one.
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


if __name__ == "__main__":
    print(json.dumps(measure(**json.load(sys.stdin))))
