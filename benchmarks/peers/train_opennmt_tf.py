"""OpenNMT-tf at the common shape, trained by its own `Trainer`.

Its model is the one of its catalogue of recurrent models with the parts of this shape:
`RNNEncoder` (bidirectional GRU) and `AttentionalRNNDecoder` (GRU, additive attention of TensorFlow
Addons, input feeding, a tanh layer of the state and the context before the output). All matrices
start uniform in [-0.1, 0.1].
"""

import os
import tempfile

import numpy as np
import opennmt
import tensorflow as tf
import tensorflow_addons as tfa
import timed_run
from token_batches import END_ID, UNKNOWN_ID

BATCH_SIZE = 64


class Trainer:
    """See `timed_run`."""

    def __init__(self, options):
        self.model = opennmt.models.SequenceToSequence(
            opennmt.inputters.WordEmbedder(embedding_size=timed_run.EMBEDDING_DIM),
            opennmt.inputters.WordEmbedder(embedding_size=timed_run.EMBEDDING_DIM),
            opennmt.encoders.RNNEncoder(
                1,
                timed_run.ENCODER_UNITS,
                bidirectional=True,
                dropout=options.dropout,
                cell_class=tf.keras.layers.GRUCell,
            ),
            opennmt.decoders.AttentionalRNNDecoder(
                1,
                timed_run.DECODER_UNITS,
                bridge_class=opennmt.layers.CopyBridge,
                attention_mechanism_class=lambda _: tfa.seq2seq.BahdanauAttention(
                    timed_run.ATTENTION_UNITS
                ),
                cell_class=tf.keras.layers.GRUCell,
                dropout=options.dropout,
            ),
        )
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            ids = range(END_ID + 1, options.vocabulary_size)
            file.write("\n".join(["<blank>", "<s>", "</s>", *map(str, ids)]) + "\n")
            file.flush()
            data = {
                "source_vocabulary": file.name,
                "target_vocabulary": file.name,
                "source_sequence_controls": {"start": False, "end": True},
            }
            params = {
                "optimizer": "Adam",
                "learning_rate": options.learning_rate,
                "average_loss_in_time": True,
                "beam_width": options.decode[0] if options.decode else 1,
                "length_penalty": 1,
                "maximum_decoding_length": timed_run.LONGEST_TRANSLATION,
            }
            self.model.initialize(data, params=params)
        self.optimizer = self.model.get_optimizer()
        self.model.create_variables(optimizer=self.optimizer)
        random = np.random.default_rng(1)
        for variable in self.model.trainable_variables:
            if variable.shape.rank > 1:
                scale = timed_run.INITIALIZER_RANGE
                variable.assign(random.uniform(-scale, scale, variable.shape))
        self.weights = sum(int(np.prod(v.shape)) for v in self.model.trainable_variables)
        self.checkpoint = tf.train.Checkpoint(model=self.model, optimizer=self.optimizer)
        self._infer = tf.function(self.model.infer, reduce_retracing=True)

    def train(self, batches, after_step):
        with tempfile.TemporaryDirectory() as directory:
            paths = [os.path.join(directory, name) for name in ("source.txt", "target.txt")]
            with open(paths[0], "w") as source_file, open(paths[1], "w") as target_file:
                for sources, targets in batches:
                    source_file.writelines(map(_line, sources))
                    target_file.writelines(map(_line, targets))
            dataset = self.model.examples_inputter.make_training_dataset(
                *paths, BATCH_SIZE, single_pass=True
            )
            opennmt.training.Trainer(self.model, self.optimizer)(
                dataset, save_steps=None, evaluator=_AfterStep(after_step), eval_steps=1
            )

    def translate(self, sources, beam_width=1, batch_size=BATCH_SIZE):
        # The width of the beam is one of the model's parameters, and set where it is made.
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.writelines(map(_line, sources))
            file.flush()
            dataset = self.model.examples_inputter.make_inference_dataset(
                file.name, batch_size, length_bucket_width=5
            )
            found = {}
            for features in dataset:
                predictions = self._infer(features)
                tokens, lengths = predictions["tokens"][:, 0], predictions["length"][:, 0]
                rows = zip(features["index"], tokens, lengths, strict=True)
                for index, row, length in rows:
                    pieces = row[:length].numpy()
                    found[int(index)] = [int(piece) for piece in pieces if piece.isdigit()]
        return [found[index] for index in range(len(sources))]

    def save(self, directory):
        self.checkpoint.write(os.path.join(directory, "weights"))

    def load(self, directory):
        self.checkpoint.read(os.path.join(directory, "weights")).assert_consumed()


class _AfterStep:
    """An evaluator, which a `Trainer` calls after each step."""

    last_evaluated_step = None

    def __init__(self, after_step):
        self.after_step = after_step

    def __call__(self, step):
        self.last_evaluated_step = step
        self.after_step()

    def should_stop(self):
        return False


def _line(ids):
    """The ids as words, without the end token, which OpenNMT-tf adds; unknown ones stay unknown."""
    return (
        " ".join("<unk>" if token_id == UNKNOWN_ID else str(token_id) for token_id in ids[:-1])
        + "\n"
    )


if __name__ == "__main__":
    timed_run.main(Trainer, ("OpenNMT-tf", "tensorflow-cpu", "tensorflow-addons"))
