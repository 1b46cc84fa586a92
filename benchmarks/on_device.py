"""Size, latency and BLEU of several LiteRT exports of one model, in one run.

Every directory translates the same sentences, one at a time on one thread, with greedy search and
with beam search; the directories alternate after each sentence. CPU time is that from ids to ids,
without the tokenizer.
The columns: file size; median latency in milliseconds; speed-up over the first directory; weights
read per second (each decoder step reads all matrices of its loop, each encoder step those of its
loop, the others are read once), and their share of the core's read bandwidth, measured on the same
number of bytes in the same run; share of translations identical to those of the first directory;
BLEU, if references are given.

Example:

    taskset -c 0 python benchmarks/on_device.py float32 int8 --source test.en --reference test.de
"""

import argparse
import time
from pathlib import Path
from statistics import median

import numpy as np
import sacrebleu
from ai_edge_litert import schema_py_generated as schema
from tqdm import tqdm

from keras_bahdanau.export.runtime import LiteTranslator

WIDTHS = {"greedy": 1, "beam": None}
SIGNATURES = {"greedy": b"translate", "beam": b"translate_beam"}
WARM_UP, BANDWIDTH_SECONDS = 5, 1.0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--source", required=True, type=Path, metavar="FILE")
    parser.add_argument("--reference", type=Path, metavar="FILE")
    parser.add_argument("--sentences", type=int, default=1000, metavar="N", help="%(default)s")
    options = parser.parse_args()
    texts = options.source.read_text(encoding="utf-8").splitlines()[: options.sentences]
    references = None
    if options.reference:
        references = options.reference.read_text(encoding="utf-8").splitlines()[: len(texts)]
    translators = {path: LiteTranslator(path) for path in options.directories}
    print(
        "| directory | search | MB | median ms | times as fast | GB/s of weights | of the "
        "bandwidth | identical | BLEU |\n|---|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    for search in WIDTHS:
        found = {path: [] for path in translators}
        for translator in translators.values():
            for text in texts[:WARM_UP]:
                run(translator, text, search)
        for text in tqdm(texts, search, leave=False):
            for path, translator in translators.items():
                found[path].append(run(translator, text, search))
        first = found[options.directories[0]]
        for path, results in found.items():
            print(row(path, search, results, first, references), flush=True)


def run(translator, text, search):
    """`(seconds, translation, source_length, target_length)` of one sentence."""
    source_ids = translator.source_ids(text)[-translator.max_length :]
    started = time.process_time()
    token_ids = translator.search(source_ids, WIDTHS[search])["token_ids"]
    seconds = time.process_time() - started
    return seconds, translator.tokenizer.Decode(token_ids), len(source_ids), len(token_ids)


def row(path, search, results, first, references):
    content = (path / "translator.tflite").read_bytes()
    once, encoding, decoding = weight_bytes(content, SIGNATURES[search])
    rates = [
        (once + encoding * source + decoding * target) / seconds
        for seconds, _, source, target in results
    ]
    bandwidth = read_bandwidth(decoding)
    milliseconds = 1e3 * median(seconds for seconds, *_ in results)
    factor = 1e3 * median(seconds for seconds, *_ in first) / milliseconds
    same = sum(ours[1] == theirs[1] for ours, theirs in zip(results, first, strict=True))
    bleu = ""
    if references:
        hypotheses = [translation for _, translation, *_ in results]
        score = sacrebleu.BLEU(force=True).corpus_score(hypotheses, [references]).score
        bleu = f"{score:.2f}"
    return (
        f"| {path.name} | {search} | {len(content) / 1e6:.2f} | {milliseconds:.2f} | {factor:.2f} |"
        f" {median(rates) / 1e9:.1f} | {median(rates) / bandwidth:.0%} of"
        f" {bandwidth / 1e9:.0f} GB/s | {same / len(results):.1%} | {bleu} |"
    )


def weight_bytes(content, signature):
    """Bytes of matrices that are read once, for each source token, and for each target token."""
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    (index,) = [s.subgraphIndex for s in model.signatureDefs if s.signatureKey == signature]
    graph = model.subgraphs[index]
    loops = [
        model.subgraphs[operator.builtinOptions.bodySubgraphIndex]
        for operator in graph.operators
        if _code(model, operator) == schema.BuiltinOperator.WHILE
    ]
    # The encoder's layers come first; the last loop is the search.
    *encoder, decoder = [_matrix_bytes(model, each) for each in loops]
    return _matrix_bytes(model, graph), sum(encoder), decoder


def _matrix_bytes(model, graph):
    buffers = {
        graph.tensors[operator.inputs[1]].buffer
        for operator in graph.operators
        if _code(model, operator) == schema.BuiltinOperator.FULLY_CONNECTED
    }
    contents = (model.buffers[buffer].data for buffer in buffers)
    return sum(len(content) for content in contents if content is not None)


def _code(model, operator):
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def read_bandwidth(size):
    """Bytes a second of the dot product of a vector of that many bytes with itself."""
    vector, reads = np.ones(size // 4, np.float32), 0
    np.dot(vector, vector)
    started = time.process_time()
    while (passed := time.process_time() - started) < BANDWIDTH_SECONDS:
        np.dot(vector, vector)
        reads += 1
    return size * reads / passed


if __name__ == "__main__":
    main()
