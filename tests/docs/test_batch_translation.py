"""The Beam pipeline of examples/batch_translation/, on the direct runner with two processes."""

import importlib.util
import subprocess
import sys

import pytest
from checkout import EXAMPLES
from small_translator import small_translator

from keras_bahdanau.export.saved_model import export_saved_model

PROGRAM = EXAMPLES / "batch_translation" / "translate_corpus.py"
TWO_PROCESSES = (
    "--runner=DirectRunner",
    "--direct_running_mode=multi_processing",
    "--direct_num_workers=2",
)
WORDS = "the a dog cat red small house runs sleeps el la perro gato rojo casa corre".split()
# No two of them are equal, so a line in the wrong place is seen; one is too long for the model.
LINES = [f"{first} {second}" for first in WORDS for second in WORDS][:97]
LINES += ["", "the dog sleeps. " * 30, "\t", "a\u2028b"]


@pytest.fixture(scope="module")
def translator():
    return small_translator()


@pytest.fixture(scope="module")
def model(translator, tmp_path_factory):
    return export_saved_model(translator, tmp_path_factory.mktemp("export") / "model").parent


@pytest.fixture(scope="module")
def pipeline():
    specification = importlib.util.spec_from_file_location("translate_corpus", PROGRAM)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def start(model, source, output, *arguments):
    return subprocess.run(
        [sys.executable, PROGRAM, model, source, output, "--shard-lines=20", *arguments],
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("count", [0, 1, 4, 5, 6])
def test_shards_hold_every_line_once(pipeline, tmp_path, count, end):
    path = tmp_path / "text"
    texts = [f"line {number}" * (number % 3) for number in range(count)]
    path.write_text("\n".join(texts) + (end if texts and texts[-1] else ""))
    expected = path.read_text().splitlines()
    shards = list(pipeline.shards_of(str(path), 2))
    found = [pair for shard in shards for pair in pipeline.read_shard(shard, str(path))]
    assert [line for (_, line), _ in found] == list(range(len(expected)))
    assert [text for _, text in found] == expected
    assert [number for (number, _), _ in found] == [n // 2 for n in range(len(expected))]


@pytest.mark.slow
def test_every_line_once_and_in_order_and_again_after_an_interruption(model, translator, tmp_path):
    source, output = tmp_path / "source.txt", tmp_path / "output.txt"
    source.write_text("".join(f"{line}\n" for line in LINES), encoding="utf-8")
    finished = start(model, source, output, *TWO_PROCESSES)
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert finished.stderr.splitlines()[-1] == f"{output}: 6 shards, 6 of them translated now"
    expected = [" ".join(text.splitlines()) for text in translator.translate(LINES)]
    assert output.read_text(encoding="utf-8").splitlines() == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["output.txt", "source.txt"]

    # What a run that was killed leaves: some shards, and a part of one.
    shards = tmp_path / "output.txt.shards"
    shards.mkdir()
    (shards / "plan.txt").write_text(f"{source}\n20\n6\n{len(LINES)}\n")
    kept = ["kept\n"] * 20
    (shards / "shard-000001.txt").write_text("".join(kept))
    (shards / "shard-000002.txt.temporary").write_text("half a sha")
    other = start(model, source, output, "--shard-lines=21")
    assert other.returncode == 1 and "Expected the arguments of the call that wrote" in other.stderr
    finished = start(model, source, output)
    assert finished.stderr.splitlines()[-1] == f"{output}: 6 shards, 5 of them translated now"
    lines = output.read_text(encoding="utf-8").splitlines()
    assert lines == [*expected[:20], *["kept"] * 20, *expected[40:]]
