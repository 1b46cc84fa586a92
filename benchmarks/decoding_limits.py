"""Machine limits for `decoding_speed.py`: memory bandwidth and matrix product throughput."""

import json
from pathlib import Path
from statistics import median

from peers import peer_programs

from keras_bahdanau.text.tokenizer import Tokenizer


def limits(results, options):
    """Lines of a Markdown table: share of the machine's limit that each of our rows reaches.

    For a batch of 1 the limit is the bandwidth at which weights are read, for a batch of 64 the
    throughput of matrix products.
    """
    yield "| share of the limit | " + " | ".join(dict.fromkeys(c for _, c in results)) + " |"
    columns = list(dict.fromkeys(column for _, column in results))
    yield "|---" + "|---:" * len(columns) + "|"
    product = peer_programs.last_line(
        "measure_matrix_product.py", peer_programs.OWN_ENVIRONMENT, None, []
    )["float32"]
    for name, directory in options.model:
        products, counts = _facts(directory, options)
        weights = 4 * (products.source + products.target)
        bandwidth = peer_programs.last_line(
            "measure_read_bandwidth.py", peer_programs.OWN_ENVIRONMENT, None, [weights]
        )["gigabytes_per_second"]
        for interface in ("Python", "SavedModel"):
            row = f"{name}, {interface}"
            cells = [row]
            for column in columns:
                seconds = median(
                    found["cpu_seconds"] / found["sentences"] for found in results[row, column]
                )
                beam = 5 if column.startswith("beam") else 1
                if column.endswith("batch 1"):
                    gigabytes = 4e-9 * (
                        products.source * counts["source"] + products.target * counts["target"]
                    )
                    cells.append(f"{gigabytes / seconds / bandwidth:.0%} of {bandwidth:.0f} GB/s")
                else:
                    operations = 2e-9 * (
                        products.source * counts["source"]
                        + beam * products.target * counts["target"]
                        + beam * products.pair * counts["pair"]
                    )
                    cells.append(f"{operations / seconds / product:.0%} of {product:.0f} GFLOP/s")
            yield "| " + " | ".join(cells) + " |"


def _facts(directory, options):
    """A model's products, and the means of its tokens over the sentences."""
    training = json.loads((directory / "config.json").read_text(encoding="utf-8"))["training"]
    tokenizer = Tokenizer.load(directory / "tokenizer.model")
    sides = [
        Path(path).read_text(encoding="utf-8").splitlines()
        for path in (options.source_validation, options.target_validation)
    ]
    lengths = [
        tuple(len(tokenizer.encode(text)) + 1 for text in pair) for pair in zip(*sides, strict=True)
    ]
    counts = {
        "source": sum(source for source, _ in lengths) / len(lengths),
        "target": sum(target for _, target in lengths) / len(lengths),
        "pair": sum(source * target for source, target in lengths) / len(lengths),
    }
    readout = training["readout_units"] or training["embedding_dim"]
    memory = 2 * training["encoder_units"]
    products = peer_programs.additive_products(
        vocabulary=tokenizer.vocabulary_size,
        embedding=training["embedding_dim"],
        encoder=training["encoder_units"],
        decoder=training["decoder_units"],
        attention=training["attention_units"],
        readout=readout,
        readout_inputs=training["decoder_units"] + memory + training["embedding_dim"],
        fed=memory,
    )
    if training["order"] == "between":
        # The second transition adds a recurrent kernel.
        units = training["decoder_units"]
        extra = 3 * units * units
        products = products._replace(target=products.target + extra)
    return products, counts
