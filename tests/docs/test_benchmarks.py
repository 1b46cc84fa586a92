import subprocess
import sys

import keras
import numpy as np
import pytest
from checkout import BENCHMARKS
from keras import ops

SIZE = (2, 5, 4, 3)


@pytest.fixture
def forms(monkeypatch):
    """The module `attention_forms`."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import attention_forms

    return attention_forms


def outputs_and_gradients(forms, layer, call, weights=None):
    arrays = forms.random_inputs(SIZE)
    call(*map(ops.convert_to_tensor, arrays))
    if weights is not None:
        layer.set_weights(weights)
    outputs = call(*map(ops.convert_to_tensor, arrays))
    step = forms.training_step(layer, call, arrays)
    return [ops.convert_to_numpy(tensor) for tensor in (*outputs, *step())]


@pytest.mark.parametrize(
    "table, name",
    [
        ("attention", "naive sum"),
        ("attention", "naive product"),
        ("recurrent", "naive product"),
    ],
)
def test_the_naive_forms_compute_the_same_with_the_same_gradients(forms, table, name):
    form = "BahdanauAttention" if table == "attention" else "AttentionRNN"
    layer, call = forms.make_form(table, form, units=3)
    expected = outputs_and_gradients(forms, layer, call)
    naive = forms.make_form(table, name, units=3)
    received = outputs_and_gradients(forms, *naive, weights=layer.get_weights())
    assert len(received) >= len(layer.weights) + 3
    for tensor, expected_tensor in zip(received, expected, strict=True):
        np.testing.assert_allclose(tensor, expected_tensor, atol=1e-6)


def test_with_identities_as_projections_it_is_additive_attention(forms):
    scale = np.array([1.0, -2.0, 0.5], dtype="float32")
    identity = np.eye(3, dtype="float32")
    context, of_query, of_value, *_, of_scale = outputs_and_gradients(
        forms,
        *forms.make_form("attention", "BahdanauAttention", units=3),
        weights=[identity, identity, scale],
    )
    expected = outputs_and_gradients(
        forms, *forms.make_form("attention", "AdditiveAttention", units=3), weights=[scale]
    )
    for tensor, expected_tensor in zip(
        (context, of_query, of_value, of_scale), expected, strict=True
    ):
        np.testing.assert_allclose(tensor, expected_tensor, atol=1e-6)


def run(*arguments):
    return subprocess.run(
        [sys.executable, BENCHMARKS / "attention.py", *map(str, arguments)],
        capture_output=True,
        text=True,
    )


@pytest.mark.exhaustive
def test_prints_its_tables_and_measures_nothing_twice(tmp_path):
    output = tmp_path / "measured.jsonl"
    arguments = ("--quick", "--sizes", "2,3,4,8", "--output", output)
    arguments += ("--backend", keras.backend.backend())
    first = run(*arguments)
    assert first.returncode == 0, first.stderr
    tables = [line.split(" | ") for line in first.stdout.splitlines() if line.startswith("| ")]
    header, *rows = [[cell.strip(" |") for cell in row] for row in tables]
    columns = ["batch x query x memory x units", "form", "CPU ms", "wall ms", "MB"]
    assert header == [*columns, "time ratio", "memory ratio"]
    assert [row[:2] for row in rows if row != header] == [
        ["2 x 3 x 4 x 8", form]
        for form in (
            *("BahdanauAttention", "AdditiveAttention", "naive sum", "naive product"),
            *("AttentionRNN", "naive product"),
        )
    ]
    assert all(len(row) == len(header) for row in rows)
    assert len(output.read_text(encoding="utf-8").splitlines()) == 6

    second = run(*arguments)
    assert second.stdout == first.stdout
    assert second.stderr.count("(measured before)") == 6


def test_a_file_that_holds_something_else_is_left_alone(tmp_path):
    output = tmp_path / "notes.txt"
    output.write_text("a note\n", encoding="utf-8")
    process = run("--output", output, "--backend", keras.backend.backend())
    assert process.returncode == 1
    assert "line 1: expected a measurement of this program. Received: a note" in process.stderr
    assert output.read_text(encoding="utf-8") == "a note\n"


def test_wrong_sizes_are_named():
    process = run("--sizes", "3,4,5")
    assert process.returncode == 2
    assert "expected four integers B,Q,M,U. Received: 3,4,5" in process.stderr


def test_speed_in_a_browser_is_told_beside_the_native_one(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import browser_speed

    def round_of(milliseconds, translations):
        return {"greedy": {"milliseconds": milliseconds, "translations": translations}}

    found = {
        "native": [round_of([1.0, 2.0, 9.0], ["a", "b", "c"]), round_of([3.0, 2.5, 4.0], "abc")],
        "Node": [round_of([5.0, 9.0, 7.0], ["a", "x", "c"]), round_of([6.0, 6.0, 9.0], "axc")],
    }
    _, _, native, node, *_ = browser_speed.table(found)
    assert native == "| native | 2.00 |"
    assert node == "| Node | 6.00 (3.0×, 2 of 3) |"
