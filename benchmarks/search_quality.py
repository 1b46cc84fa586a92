"""Search errors: model scores found by our beam search and by OpenNMT-tf's, on equal weights.

A trained model's weights are given to OpenNMT-tf as a LiteRT file, whose step its own beam search
calls. Both search with the same width, rank by the log-probability divided by ((5 + length) / 6) to
the power of the length penalty (Wu et al. 2016), and never generate padding, the unknown token or
the start token. All translations are rescored by this package's `score` and compared sentence by
sentence.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from peers import peer_programs

from keras_bahdanau import Translator
from keras_bahdanau.export.litert import export_litert
from keras_bahdanau.text.tokenizer import SPECIAL_IDS
from keras_bahdanau.translation.compiled_search import CompiledSearch
from keras_bahdanau.translation.search_options import SearchOptions

PEER = "opennmt-tf"
PROGRAM = "search_opennmt_tf.py"
# Scores that differ by less are equal: they are sums of float32 in another order.
TOLERANCE = 1e-4
BATCH_SIZE = 64
EXAMPLE = """
Example (python benchmarks/peers/install.py opennmt-tf comes first):
  python benchmarks/search_quality.py my-model --source test.en --sentences 1000
"""


def main(arguments=None):
    options = _parser().parse_args(arguments)
    translator = Translator.load(options.model)
    texts = options.source.read_text(encoding="utf-8").splitlines()[: options.sentences]
    end_id = SPECIAL_IDS["end_id"]
    source_ids = [[*ids, end_id] for ids in translator.tokenizer.encode_all(texts)]
    source_ids = [ids for ids in source_ids if 1 < len(ids) <= translator.max_length]
    compiled = CompiledSearch([translator.model], translator.config["max_target_length"])
    found = {
        "keras-bahdanau": _ours(compiled, source_ids, options),
        "OpenNMT-tf": _peer(translator, source_ids, options),
    }
    scores = {}
    for name, translations in found.items():
        totals = compiled.score(source_ids, translations, BATCH_SIZE)
        lengths = np.array([len(ids) + 1 for ids in translations])
        scores[name] = totals / ((5 + lengths) / 6) ** options.length_penalty
    print("\n".join(table(scores)))
    return 0


def table(scores):
    """Lines of a Markdown table of two searches' scores, the first one ours."""
    (ours, our_scores), (peer, peer_scores) = scores.items()
    difference = our_scores - peer_scores
    yield f"| sentences | mean score, {ours} | mean score, {peer} | ours higher | equal | lower |"
    yield "|---:|---:|---:|---:|---:|---:|"
    higher, lower = (difference > TOLERANCE).sum(), (difference < -TOLERANCE).sum()
    yield (
        f"| {len(difference)} | {our_scores.mean():.5f} | {peer_scores.mean():.5f} "
        f"| {higher} | {len(difference) - higher - lower} | {lower} |"
    )


def _ours(compiled, source_ids, options):
    asked = SearchOptions(beam_width=options.beam_width, length_penalty_type="wu")
    found = {}
    for index, result in compiled.search(
        source_ids,
        asked,
        length_penalty=options.length_penalty,
        banned_ids=(),
        prefix_ids=None,
        keys=None,
        return_attention_scores=False,
        batch_size=BATCH_SIZE,
    ):
        ids = result.token_ids[0, : result.lengths[0]].tolist()
        found[index] = ids[:-1] if ids[-1:] == [SPECIAL_IDS["end_id"]] else ids
    return [found[index] for index in range(len(source_ids))]


def _peer(translator, source_ids, options):
    limit, asked = translator.config["max_target_length"], SearchOptions()
    lines = [
        {
            "source_ids": ids,
            "max_length": min(limit, int(asked.max_length_ratio * len(ids)) + 10),
        }
        for ids in source_ids
    ]
    never = [SPECIAL_IDS[name] for name in ("pad_id", "unknown_id", "start_id")]
    with tempfile.TemporaryDirectory() as directory:
        exported = Path(directory, "model")
        export_litert(translator, exported)
        command = [
            peer_programs.python_of(peer_programs.PEERS[PEER].environment, options.environments),
            peer_programs.HERE / PROGRAM,
            exported / "translator.tflite",
            f"--beam-width={options.beam_width}",
            f"--length-penalty={options.length_penalty}",
            f"--start={SPECIAL_IDS['start_id']}",
            f"--end={SPECIAL_IDS['end_id']}",
            "--never",
            *map(str, never),
        ]
        finished = subprocess.run(
            command, input="\n".join(map(json.dumps, lines)), stdout=subprocess.PIPE, text=True
        )
    if finished.returncode:
        raise SystemExit(f"{PROGRAM} ended with exit code {finished.returncode}")
    return json.loads(finished.stdout.splitlines()[-1])["translations"]


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="a trained model directory")
    parser.add_argument("--source", type=Path, required=True, help="a sentence a line")
    parser.add_argument("--sentences", type=int, default=1000, help="so many of them (1000)")
    parser.add_argument("--beam-width", type=int, default=5, help="(5)")
    parser.add_argument("--length-penalty", type=float, default=1.0, help="alpha (1)")
    parser.add_argument(
        "--environments", type=Path, default=peer_programs.DEFAULT_DIRECTORY, metavar="DIR"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
