"""Translates a corpus of any size with Apache Beam, on one machine or on a cluster.

    python translate_corpus.py my-model/saved-model source.txt translated.txt
    python translate_corpus.py my-model/saved-model source.txt translated.txt \\
        --runner=FlinkRunner --flink_master=host:8081

Line n of the output is the translation of line n of the input. The input is cut into shards; each
becomes a file of its own in OUTPUT.shards, written atomically. After an interruption the same call
translates only the missing shards; at the end the shards are joined. Paths may be on any of Beam's
file systems that all workers share.

Needs `pip install 'keras-bahdanau[translation,beam]'`.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import apache_beam as beam
from apache_beam.io.filesystems import CompressionTypes, FileSystems
from apache_beam.ml.inference.base import KeyedModelHandler, ModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions


class Shard(NamedTuple):
    """Neighbouring lines of the input.

    Attributes:
        number: from 0.
        start: byte at which they begin.
        first_line: the number of the first one, from 0.
        lines: how many they are.
    """

    number: int
    start: int
    first_line: int
    lines: int


class SavedModelHandler(ModelHandler[str, str, object]):
    """Beam model handler of a SavedModel that `keras-bahdanau export` wrote.

    Each worker process loads it once. Texts of any length: long ones are translated in parts.

    Args:
        directory: the SavedModel, or the directory of its versions.
        batch_size: texts in a batch of the model.
    """

    def __init__(self, directory: str, batch_size: int = 64):
        super().__init__()
        self.directory, self.batch_size = directory, batch_size

    def load_model(self):
        # In the workers: building the pipeline needs no TensorFlow.
        from keras_bahdanau.export.saved_model import SavedModelTranslator

        return SavedModelTranslator(self.directory)

    def run_inference(self, batch: Sequence[str], model, inference_args=None) -> Iterable[str]:
        return model.translate(batch, batch_size=self.batch_size)

    def batch_elements_kwargs(self):
        # Large enough to batch texts of similar lengths.
        return {"min_batch_size": self.batch_size, "max_batch_size": 16 * self.batch_size}

    def get_num_bytes(self, batch: Sequence[str]) -> int:
        return sum(len(text.encode()) for text in batch)


def shards_of(path: str, lines: int) -> Iterator[Shard]:
    """Yields the shards of a text file, of so many lines each."""
    number = start = position = line_number = 0
    with _open(path) as file:
        for line_number, line in enumerate(file, start=1):
            position += len(line)
            if line_number % lines == 0:
                yield Shard(number, start, line_number - lines, lines)
                number, start = number + 1, position
    if line_number % lines:
        count = line_number % lines
        yield Shard(number, start, line_number - count, count)


def read_shard(
    shard: tuple[int, int, int, int], path: str
) -> Iterator[tuple[tuple[int, int], str]]:
    """Yields `((shard number, line number), text)`."""
    shard = Shard(*shard)
    with _open(path) as file:
        file.seek(shard.start)
        for line_number in range(shard.first_line, shard.first_line + shard.lines):
            try:
                text = file.readline().decode("utf-8")
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"Expected UTF-8. Received: invalid bytes in {path}, line {line_number + 1}"
                ) from error
            yield (shard.number, line_number), text.removesuffix("\n").removesuffix("\r")


def write_shard(
    of_shard: tuple[int, Iterable[tuple[int, str]]], directory: str, sizes: dict[int, int]
):
    """Writes the translations of a shard in the order of their lines.

    Args:
        of_shard: the number of a shard, and the number and the translation of each of its lines.
        directory: of the shards.
        sizes: how many lines each shard has.
    """
    number, translations = of_shard
    ordered = sorted(translations)
    lines = len({line_number for line_number, _ in ordered})
    if not len(ordered) == lines == sizes[number]:
        raise ValueError(f"Expected {sizes[number]} lines of shard {number}. Found {len(ordered)}")
    path = shard_path(directory, number)
    temporary = f"{path}.temporary"
    with _create(temporary) as file:
        for _, translation in ordered:
            file.write((" ".join(translation.splitlines()) + "\n").encode("utf-8"))
    FileSystems.rename([temporary], [path])


def shard_path(directory: str, number: int) -> str:
    """The file of a shard."""
    return FileSystems.join(directory, f"shard-{number:06}.txt")


def translate(model, source, output, *, shard_lines=10_000, batch_size=64, options=()):
    """Translates a file.

    Args:
        model: the SavedModel, or the directory of its versions.
        source: path of the text.
        output: path of the translation.
        shard_lines: lines of a shard.
        batch_size: texts in a batch of the model.
        options: arguments of Beam.

    Returns:
        `(shards, translated)`: how many shards there are, and how many this call translated.
    """
    directory = f"{output}.shards"
    if not FileSystems.exists(directory):
        FileSystems.mkdirs(directory)
    plan = FileSystems.join(directory, "plan.txt")
    shards = list(shards_of(source, shard_lines))
    _check_plan(plan, f"{source}\n{shard_lines}\n{len(shards)}\n{sum(s.lines for s in shards)}\n")
    missing = [
        shard for shard in shards if not FileSystems.exists(shard_path(directory, shard.number))
    ]
    sizes = {shard.number: shard.lines for shard in missing}
    if missing:
        handler = KeyedModelHandler(SavedModelHandler(model, batch_size))
        with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create([*map(tuple, missing)])
                | "Spread" >> beam.Reshuffle()
                | "Read" >> beam.FlatMap(read_shard, source)
                | "Translate" >> RunInference(handler)
                | "By shard" >> beam.MapTuple(lambda key, text: (key[0], (key[1], text)))
                | "Collect" >> beam.GroupByKey()
                | "Write" >> beam.Map(write_shard, directory, sizes)
            )
    _join([shard_path(directory, shard.number) for shard in shards], output)
    FileSystems.delete([directory])
    return len(shards), len(missing)


def _join(paths, output):
    temporary = f"{output}.temporary"
    with _create(temporary) as file:
        for path in paths:
            with _open(path) as part:
                while block := part.read(1 << 20):
                    file.write(block)
    if FileSystems.exists(output):
        FileSystems.delete([output])
    FileSystems.rename([temporary], [output])


def _check_plan(path, plan):
    """Raises ValueError if the existing shards are from a call with other arguments."""
    if not FileSystems.exists(path):
        with _create(path) as file:
            file.write(plan.encode())
        return
    with _open(path) as file:
        before = file.read().decode()
    if before != plan:
        raise ValueError(
            f"Expected the arguments of the call that wrote {path}. Received: other ones; it had "
            f"{before.split()} (input, lines of a shard, shards, lines) instead of {plan.split()}"
        )


def _open(path):
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def _create(path):
    return FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="an exported SavedModel, or the directory of its versions")
    parser.add_argument("source", help="the text, a sentence a line")
    parser.add_argument("output", help="the translation")
    parser.add_argument("--shard-lines", type=int, default=10_000, metavar="N", help="(10000)")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="(64)")
    options, beam_options = parser.parse_known_args()
    shards, translated = translate(
        options.model,
        options.source,
        options.output,
        shard_lines=options.shard_lines,
        batch_size=options.batch_size,
        options=beam_options,
    )
    print(
        f"{options.output}: {shards} shards, {translated} of them translated now", file=sys.stderr
    )


if __name__ == "__main__":
    main()
