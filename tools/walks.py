"""Walks through the package: which of its files a call enters.

    python tools/walks.py              prints a Markdown table of all walks
    python tools/walks.py --verbose    and the files of each

A file counts when one of its functions, methods or class bodies runs during the call. Module
bodies, lambdas and comprehensions do not count by themselves. What the call needs is imported and
built before it, except for training and `translate`, which start from a new interpreter: the class
bodies of all that they import count. A training walk ends where the optimizer gets the gradients.

Each walk runs in a process of its own. The exit status is 1 if a walk enters more files than its
limit.
"""

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

PAIRS = [("the red house", "la casa roja"), ("the dog sleeps", "el perro duerme")] * 8
SIZES = {"embedding_dim": 8, "encoder_units": 8, "decoder_units": 8, "attention_units": 8}


class Walk(NamedTuple):
    """A call of the package.

    Attributes:
        name: what a reader wants to understand.
        prepare: function of a folder that holds a toy translator (`model`); returns the call.
        before: number of files before the package was arranged in rooms (December 2026).
        limit: the largest number of files allowed.
    """

    name: str
    prepare: Callable[[Path], Callable]
    before: int
    limit: int


def attention_equation(folder):
    import numpy as np

    from keras_bahdanau import BahdanauAttention

    query, value = np.ones((2, 5, 3), "float32"), np.ones((2, 4, 6), "float32")
    return lambda: BahdanauAttention(8)(query, value)


def decoder_step(folder):
    import numpy as np

    model = toy_model()
    encoded = model.encoder(np.ones((2, 5), "int32"))
    memory, memory_mask = encoded["memory"], encoded["memory_mask"]
    start = model.decoder.start(memory, encoded["encoder_state"])
    states, keys = start["initial_state"], start["keys"]
    token_ids, output_kernel = np.ones((2,), "int32"), model.decoder.output_kernel()
    return lambda: model.decoder.step(token_ids, states, memory, memory_mask, keys, output_kernel)


def beam_search(folder):
    from keras import ops

    from keras_bahdanau.search import beam_search

    logits = ops.convert_to_tensor([[0.0, 1.0, 2.0, 3.0]] * 4)

    def step(token_ids, states, constants):
        return ops.take(logits, token_ids, axis=0), states, None

    states, ids = {"count": ops.zeros((2, 1))}, {"pad_id": 0, "start_id": 1, "end_id": 2}
    return lambda: beam_search(step, states, {}, beam_width=2, max_length=5, **ids)


def litert_greedy_loop(folder):
    import tensorflow as tf

    from keras_bahdanau.export.litert.signatures import Signatures
    from keras_bahdanau.export.litert.stepper import Stepper
    from keras_bahdanau.text.tokenizer import SPECIAL_IDS

    options = {"beam_width": 2, "length_penalty": 1.0, "max_target_length": 5}
    signatures = Signatures(Stepper(toy_model(), max_length=6), SPECIAL_IDS, **options)
    source_ids = tf.constant([[4, 5, 6, 3, 0, 0]])
    return lambda: signatures.translate(source_ids, tf.constant([4]), tf.constant([5]))


def training_pair(folder):
    import keras

    def stop(*arguments, **named_arguments):
        stop_tracing()
        raise KeyboardInterrupt

    keras.optimizers.Optimizer.apply = stop
    path = folder / "pairs.tsv"
    path.write_text("".join(f"{source}\t{target}\n" for source, target in PAIRS), encoding="utf-8")

    def call():
        from keras_bahdanau.training import Splits, TsvFile, preset_options, train

        splits = Splits(TsvFile(path), list(TsvFile(path)))
        options = preset_options("tiny", vocabulary_size=40, **SIZES)
        try:
            train(splits, options, folder / "run", show_progress=False)
        except KeyboardInterrupt:
            return
        raise RuntimeError("the optimizer got no gradients")

    return call


def translate_command(folder):
    def call():
        from keras_bahdanau.command_line import main

        main(["translate", str(folder / "model"), "the red house"])

    return call


def export_to_tflite(folder):
    from keras_bahdanau import Translator
    from keras_bahdanau.export import export_litert

    translator = Translator.load(folder / "model")
    return lambda: export_litert(translator, folder / "litert")


WALKS = (
    Walk("the attention equation (eager call)", attention_equation, 9, 6),
    Walk("one step of the decoder", decoder_step, 16, 10),
    Walk("beam search on a toy table", beam_search, 13, 7),
    Walk("the LiteRT greedy loop", litert_greedy_loop, 22, 14),
    Walk("a training pair from file to gradient", training_pair, 98, 70),
    Walk("`translate` on the command line", translate_command, 92, 55),
    Walk("export to `.tflite`", export_to_tflite, 52, 34),
)


def toy_model(vocabulary_size=20):
    from keras_bahdanau.models import TranslationModel

    return TranslationModel(vocabulary_size, **SIZES)


def save_toy_translator(path):
    from keras_bahdanau import Translator
    from keras_bahdanau.text.tokenizer import Tokenizer

    tokenizer = Tokenizer.train([text for pair in PAIRS for text in pair], vocabulary_size=40)
    model = toy_model(tokenizer.vocabulary_size)
    limits = {"max_length": 12, "max_target_length": 12}
    Translator(model, tokenizer, limits).save(path)


def files_entered(call):
    """The files of the package whose functions, methods or class bodies run during a call."""
    entered = set()

    def profile(frame, event, argument):
        if event == "call" and not frame.f_code.co_name.startswith("<"):
            entered.add(frame.f_code.co_filename)

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        call()
    finally:
        stop_tracing()
    names = set()
    for package in ("keras_bahdanau", "keras_bahdanau.training", "keras_bahdanau.export"):
        folder = Path(importlib.import_module(package).__file__).parent
        for path in map(Path, entered):
            if path.is_relative_to(folder):
                names.add(f"{package.replace('.', '/')}/{path.relative_to(folder).as_posix()}")
    return sorted(names)


def stop_tracing():
    sys.setprofile(None)
    threading.setprofile(None)


def run_in_new_process(code, *arguments):
    command = [sys.executable, "-c", f"import sys, walks; {code}", *map(str, arguments)]
    completed = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, encoding="utf-8"
    )
    if completed.returncode:
        raise RuntimeError(f"a walk failed:\n{completed.stderr}")
    # The last line: calls print, too.
    return completed.stdout.splitlines()[-1] if completed.stdout else ""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--verbose", action="store_true", help="print the files of each walk")
    verbose = parser.parse_args().verbose
    within_limits = True
    print("| to understand | files before | files | limit |\n|---|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        run_in_new_process("walks.save_toy_translator(sys.argv[1])", Path(folder) / "model")
        for number, walk in enumerate(WALKS):
            files = json.loads(
                run_in_new_process("walks.print_files(sys.argv[1:])", number, folder)
            )
            within_limits = within_limits and len(files) <= walk.limit
            print(f"| {walk.name} | {walk.before} | {len(files)} | {walk.limit} |", flush=True)
            if verbose:
                print(*(f"    {name}" for name in files), sep="\n", flush=True)
    return 0 if within_limits else 1


def print_files(arguments):
    number, folder = arguments
    print(json.dumps(files_entered(WALKS[int(number)].prepare(Path(folder)))))


if __name__ == "__main__":
    sys.exit(main())
