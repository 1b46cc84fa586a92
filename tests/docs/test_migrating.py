"""Runs the code of docs/migrating.md, section by section, and compares old and new."""

import re
import shutil

import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from checkout import ROOT
from markdown_pages import code_blocks

PAGE = ROOT / "docs" / "migrating.md"
ADDONS = ROOT / "tests" / "support" / "tensorflow_addons"
RANDOM = np.random.default_rng(0)
QUERIES = RANDOM.normal(size=(3, 4, 6)).astype("float32")
VALUE = RANDOM.normal(size=(3, 5, 6)).astype("float32")
VALUE_MASK = np.arange(5) < np.array([5, 3, 1])[:, None]
QUERY_MASK = np.arange(4) < np.array([4, 1, 2])[:, None]


def run_section(title, **names):
    """The names after the Python code of a section has run, in order, with `names` at hand."""
    sections = PAGE.read_text(encoding="utf-8").split("\n## ")
    (section,) = [text for text in sections if text.startswith(title)]
    code = "\n".join(block.code for block in code_blocks(section))
    exec(compile(code, f"{PAGE.name}: {title}", "exec"), names)  # noqa: S102
    return names


def assert_close(received, expected):
    np.testing.assert_allclose(arrays_of(received), arrays_of(expected), atol=1e-5, rtol=1e-5)


def test_every_code_block_belongs_to_a_section_that_runs():
    text = PAGE.read_text(encoding="utf-8")
    titles = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert titles == [
        "From TensorFlow Addons",
        "From keras.layers.AdditiveAttention",
        "From the TensorFlow tutorials",
    ]
    blocks = {(block.kind, block.note) for block in code_blocks(text)}
    assert blocks == {("python", "run-by: tests/docs/test_migrating.py")}


def test_a_model_of_tensorflow_addons_computes_the_same_here(tmp_path, monkeypatch):
    pytest.importorskip("tensorflow", reason="this section reads a TensorFlow checkpoint")
    shutil.copytree(ADDONS / "model", tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    case = "gru_attention_layer_cell_output/"
    with np.load(ADDONS / "attention_wrapper.npz", allow_pickle=False) as stored:
        expected = {
            name.removeprefix(case): stored[name] for name in stored if name.startswith(case)
        }
    names = run_section(
        "From TensorFlow Addons",
        inputs=expected["inputs"],
        memory=expected["memory/0"],
        lengths=expected["lengths"],
        encoder_state=expected["initial_state/0"],
    )
    assert_close(names["outputs"], expected["outputs"])
    assert_close(names["attentions"], expected["attentions"])
    assert_close(names["alignments"], expected["alignments/0"])
    for state, name in zip(names["states"], ("final_state/0", "final_attention"), strict=True):
        assert_close(state, expected[name])


def test_the_identity_makes_it_the_additive_attention_of_keras():
    names = run_section(
        "From keras.layers.AdditiveAttention",
        query=QUERIES,
        value=VALUE,
        query_mask=QUERY_MASK,
        value_mask=VALUE_MASK,
    )
    assert_close(names["same_context"], names["old_context"])
    assert_close(names["same_weights"], names["old_weights"])
    assert [weight.name for weight in names["same"].trainable_weights] == ["scale"]
    assert arrays_of(names["context"]).shape == arrays_of(names["old_context"]).shape
    assert arrays_of(names["weights"]).shape == arrays_of(names["old_weights"]).shape


def test_the_attention_classes_of_the_tutorials_compute_the_same_here():
    keras.utils.set_random_seed(0)
    names = run_section(
        "From the TensorFlow tutorials",
        query=QUERIES[:, 0],
        queries=QUERIES,
        value=VALUE,
        value_mask=VALUE_MASK,
    )
    assert_close(names["context"], names["old_context"])
    assert_close(names["weights"], arrays_of(names["old_weights"])[..., 0])
    assert_close(names["moved_context"], names["second_context"])
    assert_close(names["moved_weights"], names["second_weights"])

    # The biases start at zero: trained ones are what the conversion must carry over.
    old = names["old"]
    for layer in (old.W1, old.W2, old.V):
        layer.bias.assign(RANDOM.normal(size=layer.bias.shape))
    converted = names["from_first_tutorial"](old, query_layer=old.W1, value_layer=old.W2)
    for received, expected in zip(
        converted(QUERIES[:, 0], VALUE, return_attention_scores=True),
        old(QUERIES[:, 0], VALUE),
        strict=True,
    ):
        assert_close(received, arrays_of(expected).reshape(received.shape))
