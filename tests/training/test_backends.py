"""The layers on TensorFlow, JAX and PyTorch, each in a process of its own."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from checkout import SUPPORT

PACKAGE = SUPPORT.parent / "keras_bahdanau"
BACKENDS = ("tensorflow", "jax", "torch")
# Tests of more than one module, and those of what else runs on every backend.
FAMILY_SUPPORT = [
    "test_adam.py",
    "test_arguments.py",
    "test_attention_properties.py",
    "test_attention_rnn_options.py",
    "test_attention_rnn_training.py",
    "test_compiled.py",
    "test_generation.py",
    "test_generation_options.py",
    "test_layer_contract.py",
    "test_losses.py",
    "test_skip_padding.py",
    "test_tensorflow_addons_attention.py",
    "test_training_model.py",
    "test_wrong_use.py",
]
# What of it is another program on another backend: compiled steps and searches, and the layer
# itself.
COMPILED_SUPPORT = [
    "test_bahdanau_attention.py",
    "test_compiled.py",
    "test_generation.py",
    "test_generation_options.py",
]


def layer_tests():
    """The files that test the modules of the layers, and those that test all of them."""
    modules = [*PACKAGE.glob("layers/*.py"), *PACKAGE.glob("recurrent/*.py")]
    files = {f"test_{module.stem}.py" for module in modules} | set(FAMILY_SUPPORT)
    return sorted(file for file in files if (SUPPORT / file).exists())


def compiled_tests(backend):
    # On JAX there is nothing to compare: tests compile whatever they differentiate.
    return [*COMPILED_SUPPORT, *(["test_compilation.py"] if backend == "torch" else [])]


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
        cwd=SUPPORT.parent,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_the_layer_tests_are_found():
    files = layer_tests()
    assert set(FAMILY_SUPPORT) <= set(files)
    assert {*COMPILED_SUPPORT, "test_additive_scores.py"} <= set(files)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("jax")


def check_tests(backend, cache, files, *options):
    options = ["-q", "-p", "no:cacheprovider", "--tb=short", *options]
    process = run(backend, cache, "-m", "pytest", *options, *(SUPPORT / file for file in files))
    assert process.returncode == 0, process.stdout[-5000:] + process.stderr[-2000:]
    # Skipped tests and those that are expected to fail would be in the last line too.
    last_line = process.stdout.strip().splitlines()[-1]
    pattern = r"\d+ passed(, \d+ deselected)? in [\d.]+s( \([\d:]+\))?"
    assert re.fullmatch(pattern, last_line)


@pytest.mark.slow
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
    others = [file for file in layer_tests() if file not in COMPILED_SUPPORT]
    check_tests(backend, cache, others[part::3])


@pytest.mark.slow
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
