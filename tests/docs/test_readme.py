"""README.md: its length, and its layer example."""

import keras
import numpy as np
import pytest
from checkout import ROOT
from markdown_pages import code_blocks

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_has_two_screens():
    assert len(README.splitlines()) <= 130


@pytest.mark.slow
def test_the_layer_example_learns_and_shows_its_attention(tmp_path, monkeypatch):
    (example,) = [
        block.code
        for block in code_blocks(README)
        if block.note == "run-by: tests/docs/test_readme.py"
    ]
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    names = {}
    exec(compile(example, "README.md", "exec"), names)  # noqa: S102

    model, inputs = names["model"], [names["ids"], names["shifted_ids"]]
    predicted = model.predict(inputs, verbose=0).argmax(axis=-1)
    assert (predicted == names["target_ids"]).mean() > 0.9
    np.testing.assert_allclose(names["attention"].sum(axis=-1), 1, rtol=1e-5)
    # To reverse is to look at the other end.
    weights = keras.Model(model.inputs, names["weights"]).predict(inputs, verbose=0).mean(axis=0)
    assert (np.abs(weights.argmax(axis=-1) - np.arange(7, -1, -1)) <= 1).mean() >= 0.75
    reloaded = keras.saving.load_model(tmp_path / "reverser.keras")
    np.testing.assert_array_equal(reloaded.predict(inputs, verbose=0).argmax(axis=-1), predicted)
