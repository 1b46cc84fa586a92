"""The layers on TensorFlow, JAX and PyTorch, each in a process of its own."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from checkout import ROOT, SUPPORT

pytestmark = pytest.mark.ports
TESTS = ROOT / "tests"
BACKENDS = ("tensorflow", "jax", "torch")
# The rooms whose tests run on every backend, but for what is TensorFlow's alone.
ROOMS = ("backend", "time_loop", "layers", "recurrent")
TENSORFLOW_ONLY = {
    "test_compilation.py",
    "test_layers_in_tensorflow.py",
    "test_memory.py",
    "test_tensorflow_addons_wrapper.py",
}
# Tests of what else runs on every backend.
OTHERS = [
    "training/test_adam.py",
    "training/test_losses.py",
    "training/test_training_model.py",
    "translation/test_generate.py",
    "translation/test_generate_options.py",
]
# What of it is another program on another backend: compiled steps and searches, and the layer
# itself.
COMPILED = [
    "backend/test_graph_compilation.py",
    "layers/test_bahdanau_attention.py",
    "translation/test_generate.py",
    "translation/test_generate_options.py",
]


def layer_tests():
    """Paths below `tests` of all files that run on every backend."""
    files = {
        path.relative_to(TESTS).as_posix()
        for room in ROOMS
        for path in (TESTS / room).glob("test_*.py")
        if path.name not in TENSORFLOW_ONLY
    }
    return sorted(files | set(OTHERS))


def compiled_tests(backend):
    # On JAX there is nothing to compare: tests compile whatever they differentiate.
    return [*COMPILED, *(["layers/test_compilation.py"] if backend == "torch" else [])]


def run(backend, cache, *arguments):
    """Runs Python with a backend. What JAX compiles, most of its time, it keeps in `cache`."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "true",
    }
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_the_layer_tests_are_found():
    files = layer_tests()
    assert {*OTHERS, *COMPILED, "layers/test_additive_scores.py"} <= set(files)
    assert all((TESTS / file).is_file() for file in files)
    names = {path.name for room in ROOMS for path in (TESTS / room).glob("test_*.py")}
    assert TENSORFLOW_ONLY <= names


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("jax")


def check_tests(backend, cache, files, *arguments):
    options = ["-q", "-n0", "-p", "no:cacheprovider", "--tb=short"]
    options += arguments or ["-m", "not exhaustive"]
    process = run(backend, cache, "-m", "pytest", *options, *(TESTS / file for file in files))
    assert process.returncode == 0, process.stdout[-5000:] + process.stderr[-2000:]
    # Skipped tests and those that are expected to fail would be in the last line too.
    last_line = process.stdout.strip().splitlines()[-1]
    pattern = r"\d+ passed(, \d+ deselected)? in [\d.]+s( \([\d:]+\))?"
    assert re.fullmatch(pattern, last_line)


@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_what_is_compiled_passes(backend, cache):
    check_tests(backend, cache, compiled_tests(backend))


@pytest.mark.exhaustive
@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_what_is_compiled_for_long_passes(backend, cache):
    files = {*layer_tests(), *compiled_tests(backend)}
    check_tests(backend, cache, sorted(files), "-m", "exhaustive")


# Several processes, because JAX keeps all that it compiles and runs out of memory maps in one.
@pytest.mark.exhaustive
@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_all_other_layer_tests_pass(backend, cache, part):
    others = [file for file in layer_tests() if file not in COMPILED]
    check_tests(backend, cache, others[part::3])


def test_backends_compute_the_same(tmp_path, cache):
    results = {}
    for backend in BACKENDS:
        path = tmp_path / f"{backend}.npz"
        process = run(backend, cache, SUPPORT / "backend_outputs.py", path)
        assert process.returncode == 0, process.stderr[-5000:]
        with np.load(path) as file:
            results[backend] = dict(file)
    expected = results["tensorflow"]
    assert any("gradient" in name and array.any() for name, array in expected.items())
    for backend in BACKENDS[1:]:
        assert results[backend].keys() == expected.keys()
        for name, array in results[backend].items():
            np.testing.assert_allclose(
                array, expected[name], rtol=1e-5, atol=1e-5, err_msg=f"{name} on {backend}"
            )
