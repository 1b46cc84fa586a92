"""Exported LiteRT directories against the translators that they were exported from."""

import hashlib
import json
import random

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from small_translator import ENGLISH, SPANISH, small_translator

from keras_bahdanau.export.litert import export_litert
from keras_bahdanau.export.litert.quantization import round_weights
from keras_bahdanau.export.runtime import LiteTranslator
from keras_bahdanau.text.splitting import split_text

BEAM_WIDTH = 4
SOURCE_IDS = np.array([[9, 10, 11, 3]], "int32")
SAMPLES = ["the red house", "", "a dog " * 50, "el perro"]


def sentences(number):
    draw = random.Random(0)
    words = [*ENGLISH.split(), *SPANISH.split()]
    return [" ".join(draw.choices(words, k=draw.randint(1, 6))) for _ in range(number)]


@pytest.fixture(scope="module")
def translator():
    return small_translator()


@pytest.fixture(scope="module")
def directory(translator, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "litert"
    return export_litert(translator, path, beam_width=BEAM_WIDTH, samples=SAMPLES)


@pytest.fixture(scope="module")
def int8_directory(translator, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "litert"
    return export_litert(
        translator,
        path,
        quantization="int8",
        beam_width=BEAM_WIDTH,
    )


def assert_same_translations(translator, directory, length_penalty=1.0):
    exported = LiteTranslator(directory)
    texts = sentences(240)
    for beam_width in (1, BEAM_WIDTH):
        expected, _ = translator.translate_n_best(
            texts, beam_width=beam_width, length_penalty=length_penalty
        )
        found = [exported.search(exported.source_ids(text), beam_width) for text in texts]
        pieces = [tuple(translator.tokenizer.pieces(each["token_ids"])) for each in found]
        assert pieces == [ranked[0].target_pieces for ranked in expected]
        # The test would show nothing if the answers were all alike.
        assert len(set(pieces)) > 60
        assert len({len(each) for each in pieces}) > 5
        if beam_width > 1:
            np.testing.assert_allclose(
                [each["log_probability"] for each in found],
                [ranked[0].log_probability for ranked in expected],
                rtol=1e-4,
            )


def test_float32_translates_token_for_token_as_keras_does(translator, directory):
    assert_same_translations(translator, directory)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "length_penalty"),
    [
        ({"order": "after", "tie_embeddings": "none"}, 1.0),
        ({"cell": "lstm", "num_layers": 2}, 0.3),
        pytest.param({"cell": "lstm", "order": "after"}, 0.0, marks=pytest.mark.exhaustive),
        pytest.param({"num_layers": 3}, 1.5, marks=pytest.mark.exhaustive),
        ({"order": "between", "tie_embeddings": "all"}, 1.0),
        ({"order": "between", "cell": "lstm"}, 1.0),
        ({"attention": "none"}, 1.0),
    ],
    ids=str,
)
def test_every_kind_of_model_translates_token_for_token(arguments, length_penalty, tmp_path):
    translator = small_translator(**arguments)
    export_litert(
        translator, tmp_path / "litert", beam_width=BEAM_WIDTH, length_penalty=length_penalty
    )
    assert_same_translations(translator, tmp_path / "litert", length_penalty)


def test_texts_of_every_kind_translate_as_in_process(translator, directory):
    exported = LiteTranslator(directory, split=split_text)
    texts = [
        "",
        "   ",
        "\x00",
        "<s> </s>",
        "\U0001f600",
        "e\u0301",
        "\u0645\u0631\u062d",
        "x" * 200,
    ]
    texts += ["the dog sleeps, a house. " * 12, "casa " * 100]
    expected = translator.translate(texts, beam_width=BEAM_WIDTH)
    assert exported.translate(texts) == expected
    assert expected[:2] == ["", ""]


def first_step(translator):
    """What the decoder says to the start token."""
    model = translator.model
    encoded = model.encoder(SOURCE_IDS)
    start = model.decoder.start(encoded["memory"], encoded["encoder_state"])
    return model.decoder(
        {
            "target_in_ids": tf.constant([[2]]),
            "memory": encoded["memory"],
            "memory_mask": encoded["memory_mask"],
            **start,
        }
    )


def exported_first_step(directory):
    interpreter = Interpreter(str(directory / "translator.tflite"))
    padded = np.full((1, 24), 7, "int32")  # Whatever follows the source must not matter.
    padded[:, :4] = SOURCE_IDS
    length = np.array([4], "int32")
    carried = interpreter.get_signature_runner("encode")(source_ids=padded, source_length=length)
    return interpreter.get_signature_runner("decode_step")(
        token_id=np.array([2], "int32"), source_length=length, **carried
    )


def test_decode_step_gives_the_decoders_own_numbers(translator, directory):
    expected, found = first_step(translator), exported_first_step(directory)
    np.testing.assert_allclose(found["logits"], expected["logits"][:, 0], atol=1e-5)
    np.testing.assert_allclose(found["state_0"], expected["states"][0], atol=1e-5)
    scores = found["attention_scores"]
    np.testing.assert_allclose(scores[:, :4], expected["attention_scores"][:, 0], atol=1e-5)
    assert not scores[:, 4:].any()


def test_int8_has_the_same_signatures_and_int8_weights(directory, int8_directory):
    plain, quantized = (
        json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        for path in (directory, int8_directory)
    )
    assert quantized["signatures"] == plain["signatures"]
    assert quantized["quantization"] == "int8"
    assert all(LiteTranslator(int8_directory).translate(["the old house", "el perro"]))


def test_int8_stays_close_to_float32(directory, int8_directory):
    source = {
        "source_ids": np.arange(4, 28, dtype="int32")[np.newaxis],
        "source_length": np.array([20], "int32"),
    }
    keys = []
    for path in (directory, int8_directory):
        interpreter = Interpreter(str(path / "translator.tflite"))
        keys.append(interpreter.get_signature_runner("encode")(**source)["keys"])
    np.testing.assert_allclose(keys[1], keys[0], atol=0.25 * np.std(keys[0]))


@pytest.mark.slow
@pytest.mark.parametrize("quantization", ["int8", "int4"])
def test_a_quantized_file_with_two_transitions_stays_close(tmp_path, quantization):
    translator = small_translator(
        order="between", tie_embeddings="all", embedding_dim=32, decoder_units=32
    )
    export_litert(translator, tmp_path / "litert", quantization=quantization, beam_width=2)
    if quantization == "int4":
        # Of four bits is what the weights are, and the rest of the difference is that of int8.
        round_weights(translator.model, 4)
    expected = first_step(translator)["logits"][:, 0]
    found = exported_first_step(tmp_path / "litert")["logits"]
    np.testing.assert_allclose(found, expected, atol=0.25 * np.std(expected))


def test_the_callers_samples_follow_the_varied_golden_lines(directory):
    lines = (directory / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    assert texts[-2:] == ["the red house", "el perro"]
    assert "Where is the red book?" in texts


def test_the_manifest_names_every_other_file(directory):
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    files = {path.name for path in directory.iterdir()} - {"manifest.json"}
    assert files == {
        "translator.tflite",
        "tokenizer.model",
        "tokenizer.json",
        "tokenizer_vectors.jsonl",
        "golden.jsonl",
    }
    assert set(manifest["files"]) == files
    for name, entry in manifest["files"].items():
        content = (directory / name).read_bytes()
        assert entry == {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    assert set(manifest["signatures"]) == {"encode", "decode_step", "translate", "translate_beam"}


def test_the_golden_lines_are_what_keras_says(translator, directory):
    text = (directory / "golden.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert len(lines) > 10
    texts = [line["text"] for line in lines]
    for name, beam_width in (("greedy", 1), ("beam", BEAM_WIDTH)):
        expected = translator.translate(texts, beam_width=beam_width)
        assert [line[name]["translation"] for line in lines] == expected
