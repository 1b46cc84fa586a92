"""The architecture of TensorFlow's tutorial on translation with attention, at the common shape.

https://www.tensorflow.org/text/tutorials/nmt_with_attention: embedding and bidirectional GRU;
embedding, GRU, one head of scaled dot-product attention with that GRU's outputs as queries, a
residual connection with layer normalization, and the output layer. Written here with the same
layers of Keras and trained with `fit`, as there. The directions of the encoder are concatenated
(there they are summed), so that its memory has the common width. Its attention is not additive
and does not feed back into the decoder, so that no step of it depends on the one before.
"""

import keras
import tensorflow as tf
import timed_run
from keras import layers
from token_batches import padded, shifted


class Trainer:
    """See `timed_run`."""

    def __init__(self, options):
        source_ids = keras.Input((None,), dtype="int32", name="source_ids")
        target_in_ids = keras.Input((None,), dtype="int32", name="target_in_ids")
        size = options.vocabulary_size, timed_run.EMBEDDING_DIM
        memory = layers.Bidirectional(
            layers.GRU(timed_run.ENCODER_UNITS, return_sequences=True), merge_mode="concat"
        )(layers.Embedding(*size, mask_zero=True)(source_ids))
        states = layers.GRU(timed_run.DECODER_UNITS, return_sequences=True)(
            layers.Embedding(*size, mask_zero=True)(target_in_ids)
        )
        context = layers.MultiHeadAttention(num_heads=1, key_dim=timed_run.ATTENTION_UNITS)(
            query=states, value=memory
        )
        joined = layers.LayerNormalization()(layers.Add()([states, context]))
        logits = layers.Dense(options.vocabulary_size)(joined)
        self.model = keras.Model([source_ids, target_in_ids], logits)
        self.model.compile(keras.optimizers.Adam(options.learning_rate), masked_loss)
        self.weights = self.model.count_params()

    def train(self, batches, after_step):
        ids = tf.TensorSpec([None, None], tf.int32)
        dataset = tf.data.Dataset.from_generator(
            lambda: map(_example, batches), output_signature=((ids, ids), ids)
        ).prefetch(tf.data.AUTOTUNE)
        callback = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: after_step()
        )
        self.model.fit(dataset, verbose=0, callbacks=[callback])


def masked_loss(target_out_ids, logits):
    """The tutorial's loss: the mean over all tokens that are no padding."""
    losses = keras.losses.sparse_categorical_crossentropy(target_out_ids, logits, from_logits=True)
    weights = tf.cast(target_out_ids != 0, losses.dtype)
    return tf.reduce_sum(losses * weights) / tf.reduce_sum(weights)


def _example(batch):
    sources, targets = batch
    return (padded(sources), padded(shifted(targets))), padded(targets)


if __name__ == "__main__":
    timed_run.main(Trainer, ("tensorflow", "keras"))
