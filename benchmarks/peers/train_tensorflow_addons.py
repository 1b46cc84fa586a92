"""TensorFlow Addons' `AttentionWrapper` at the common shape, in a training step of our own.

A bidirectional GRU of Keras reads the source; `BasicDecoder` runs `AttentionWrapper` around a GRU
cell with `BahdanauAttention` and an attention layer over the targets. The output layer comes after
the loop, as one product, which is faster than inside `BasicDecoder`.
"""

import functools
import os

import tensorflow as tf
import tensorflow_addons as tfa
import timed_run
from token_batches import END_ID, START_ID, padded, shifted

_IDS = tf.TensorSpec([None, None], tf.int32)


class Trainer:
    """See `timed_run`."""

    def __init__(self, options):
        layers = tf.keras.layers
        size = options.vocabulary_size, timed_run.EMBEDDING_DIM
        self.source_embedding = layers.Embedding(*size, mask_zero=True)
        self.target_embedding = layers.Embedding(*size)
        self.encoder = layers.Bidirectional(
            layers.GRU(timed_run.ENCODER_UNITS, return_sequences=True, return_state=True)
        )
        self.attention = tfa.seq2seq.BahdanauAttention(timed_run.ATTENTION_UNITS)
        self.cell = tfa.seq2seq.AttentionWrapper(
            layers.GRUCell(timed_run.DECODER_UNITS),
            self.attention,
            attention_layer_size=timed_run.READOUT_UNITS,
        )
        self.decoder = tfa.seq2seq.BasicDecoder(self.cell, tfa.seq2seq.TrainingSampler())
        self.output = layers.Dense(options.vocabulary_size)
        self.optimizer = tf.keras.optimizers.Adam(options.learning_rate)
        self._logits(*(tf.ones([1, 2], tf.int32) for _ in range(2)))
        parts = (self.source_embedding, self.encoder, self.target_embedding, self.decoder)
        self.variables = [
            variable for part in (*parts, self.output) for variable in part.trainable_variables
        ]
        self.weights = sum(variable.shape.num_elements() for variable in self.variables)
        self.checkpoint = tf.train.Checkpoint(weights=self.variables, optimizer=self.optimizer)
        self._search = functools.cache(self._compile_search)

    def train(self, batches, after_step):
        step = tf.function(self._step, input_signature=[_IDS] * 3)
        for sources, targets in batches:
            step(padded(sources), padded(shifted(targets)), padded(targets))
            after_step()

    def translate(self, sources, beam_width=1, batch_size=64):
        search, found = self._search(beam_width), [None] * len(sources)
        for indices in timed_run.sentences_sorted_by_length(sources, batch_size):
            rows = search(padded([sources[index] for index in indices])).numpy().tolist()
            for index, ids in zip(indices, rows, strict=True):
                found[index] = ids[: ids.index(END_ID)] if END_ID in ids else ids
        return found

    def save(self, directory):
        self.checkpoint.write(os.path.join(directory, "weights"))

    def load(self, directory):
        self.checkpoint.read(os.path.join(directory, "weights")).expect_partial()

    def _compile_search(self, beam_width):
        """A function of source ids that returns target ids, the best translations."""
        limit = {"maximum_iterations": timed_run.LONGEST_TRANSLATION}
        greedy = tfa.seq2seq.BasicDecoder(
            self.cell, tfa.seq2seq.GreedyEmbeddingSampler(), output_layer=self.output, **limit
        )
        beam = tfa.seq2seq.BeamSearchDecoder(
            self.cell,
            beam_width,
            output_layer=self.output,
            length_penalty_weight=1.0,
            **limit,
        )

        @tf.function(input_signature=[_IDS])
        def search(source_ids):
            mask = source_ids != 0
            memory, forward, backward = self.encoder(self.source_embedding(source_ids), mask=mask)
            cell_state = tf.concat([forward, backward], axis=-1)
            batch_size = tf.shape(source_ids)[0]
            if beam_width > 1:
                memory, mask, cell_state = (
                    tfa.seq2seq.tile_batch(each, beam_width) for each in (memory, mask, cell_state)
                )
            self.attention.setup_memory(memory, memory_mask=mask)
            state = self.cell.get_initial_state(
                batch_size=batch_size * beam_width, dtype=tf.float32
            )
            outputs, _, _ = (greedy if beam_width == 1 else beam)(
                self.target_embedding.embeddings,
                start_tokens=tf.fill([batch_size], START_ID),
                end_token=END_ID,
                initial_state=state.clone(cell_state=cell_state),
            )
            return outputs.sample_id if beam_width == 1 else outputs.predicted_ids[:, :, 0]

        return search

    def _step(self, source_ids, target_in_ids, target_out_ids):
        with tf.GradientTape() as tape:
            logits = self._logits(source_ids, target_in_ids)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(target_out_ids, logits)
            weights = tf.cast(target_out_ids != 0, losses.dtype)
            loss = tf.reduce_sum(losses * weights) / tf.reduce_sum(weights)
        gradients = tape.gradient(loss, self.variables)
        self.optimizer.apply_gradients(zip(gradients, self.variables, strict=True))
        return loss

    def _logits(self, source_ids, target_in_ids):
        mask = source_ids != 0
        embedded = self.source_embedding(source_ids)
        memory, forward, backward = self.encoder(embedded, mask=mask)
        self.attention.setup_memory(memory, memory_mask=mask)
        state = self.cell.get_initial_state(batch_size=tf.shape(source_ids)[0], dtype=tf.float32)
        outputs, _, _ = self.decoder(
            self.target_embedding(target_in_ids),
            initial_state=state.clone(cell_state=tf.concat([forward, backward], axis=-1)),
            # The padding is cut by the loss alone, as in the tutorials of TensorFlow Addons.
            sequence_length=tf.fill([tf.shape(target_in_ids)[0]], tf.shape(target_in_ids)[1]),
        )
        return self.output(outputs.rnn_output)


if __name__ == "__main__":
    timed_run.main(Trainer, ("tensorflow-addons", "tensorflow-cpu"))
