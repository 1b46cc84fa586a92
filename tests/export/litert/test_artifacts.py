"""`golden.jsonl` has only texts whose translations do not depend on floating-point rounding."""

import json

from keras_bahdanau.export.litert import artifacts
from keras_bahdanau.export.litert.artifacts import BuiltinKernels, write_golden

TEXTS = ["the red house", "", "el perro corre", "a dog " * 50, "a cat sleeps"]


def texts_in(directory):
    lines = (directory / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def test_texts_that_the_kernels_translate_differently_are_left_out(
    untrained_litert, tmp_path, monkeypatch
):
    for name in ("manifest.json", "tokenizer.model", "translator.tflite"):
        (tmp_path / name).write_bytes((untrained_litert / name).read_bytes())
    write_golden(tmp_path, TEXTS)
    assert texts_in(tmp_path) == ["the red house", "el perro corre", "a cat sleeps"]

    class Others(BuiltinKernels):
        def search(self, source_ids, beam_width=None):
            found = super().search(source_ids, beam_width)
            if source_ids == self.source_ids("el perro corre") and beam_width > 1:
                found["token_ids"][-1] += 1
            return found

    monkeypatch.setattr(artifacts, "BuiltinKernels", Others)
    write_golden(tmp_path, TEXTS)
    assert texts_in(tmp_path) == ["the red house", "a cat sleeps"]
