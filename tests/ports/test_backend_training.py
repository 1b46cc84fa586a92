"""Training runs on JAX and PyTorch, each in a process of its own, and their models here."""

import json

import numpy as np
import pytest
from backend_training import OPTIONS, SOURCES, TARGETS
from checkout import SUPPORT
from test_backends import run
from training_runs import final_state, progress_of

from keras_bahdanau.translation.translator import Translator

pytestmark = pytest.mark.ports


@pytest.fixture(scope="module", params=["jax", "torch"])
def trained(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp(request.param)
    process = run(request.param, directory / "jax", SUPPORT / "backend_training.py", directory)
    assert process.returncode == 0, process.stderr[-5000:]
    said = json.loads((directory / "said.json").read_text())
    return request.param, directory, said, process.stderr


def test_another_backend_trains_without_tensorflow(trained):
    backend, directory, said, _ = trained
    assert backend in said["modules"]
    assert "tensorflow" not in said["modules"]
    assert said["metrics"]["epochs"] == OPTIONS.epochs
    history = progress_of(directory / "whole").history
    assert history[-1]["training_loss"] < history[0]["training_loss"]


def test_an_interrupted_run_ends_with_the_same_weights(trained):
    _, directory, _, story = trained
    assert "continuing at epoch 2, batch 3" in story
    whole, interrupted = (final_state(directory / name) for name in ("whole", "interrupted"))
    assert whole.keys() == interrupted.keys()
    for name, array in whole.items():
        np.testing.assert_array_equal(interrupted[name], array, err_msg=name)


def test_its_model_says_the_same_under_tensorflow(trained):
    _, directory, said, _ = trained
    translator = Translator.load(directory / "varied")
    ranked, _ = translator.translate_n_best(SOURCES, beam_width=3, n_best=2)
    texts = [[each.text for each in row] for row in ranked]
    assert texts == said["texts"]
    assert len({best for best, _ in texts}) > 3
    found = [[each.log_probability for each in row] for row in ranked]
    np.testing.assert_allclose(found, said["log_probabilities"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        translator.score(SOURCES, TARGETS), said["scores"], rtol=1e-4, atol=1e-4
    )


def test_jax_compiles_few_shapes(trained):
    backend, _, _, story = trained
    assert ("1 shapes of batches to compile" in story) == (backend == "jax")
