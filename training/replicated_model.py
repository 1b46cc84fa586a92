"""Synchronous data parallelism: replicas of a model, each with its share of every batch."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from .data.batches import dataset_of
from .training_model import TrainingModel

# Weight of the copies that fill up a share: it vanishes in every float32 sum, but is not 0, because
# rows of weight 0 are skipped and a replica must have something to compute.
FILLER_WEIGHT = 1e-30


def share(batch, replica: int, replicas: int):
    """Returns the part of a batch that one replica computes.

    All shares have the same number of pairs; copies of the first pair with a negligible weight fill
    up where pairs are missing.

    Args:
        batch: an item of `Batches`.
        replica: index of the replica, from 0.
        replicas: number of replicas.

    Returns:
        An item of `Batches` with every pair whose index in the batch is `replica` modulo
        `replicas`. The weights are divided by the number of tokens of the whole batch, so that the
        sum over all shares is the mean over the tokens of the batch.
    """
    rows = len(batch[1])
    places = np.arange(replica, -(-rows // replicas) * replicas, replicas)
    factors = np.where(places < rows, 1 / batch[2].sum(), FILLER_WEIGHT)
    places = np.where(places < rows, places, 0)
    inputs, target_out_ids, weights = keras.tree.map_structure(lambda each: each[places], batch)
    return inputs, target_out_ids, (factors[:, None] * weights).astype(np.float32)


class ReplicatedTrainingModel(TrainingModel):
    """A `TrainingModel` on several replicas, with the losses and weights of a single device.

    The gradients of all replicas are summed before they are clipped (Keras clips each and then
    sums). So losses and weights are those of one device, up to the order of float32 sums and the
    dropout masks.

    It is created outside the scope of the distribution, and its translation model inside: in the
    scope, Keras 3.15 would prepare `fit` in a way that fails with several processes (keras#20585).

    Args:
        translation_model: as for `TrainingModel`.
        distribution: a `Distribution` with a strategy.
        label_smoothing: as for `TrainingModel`.
        **kwargs: `name`, `dtype` and others of `keras.Model`.
    """

    def __init__(self, translation_model, distribution, label_smoothing=0.0, **kwargs):
        super().__init__(translation_model, label_smoothing=label_smoothing, **kwargs)
        self.distribution = distribution

    def train_epoch(self, batches, callbacks):
        with self.distribution.scope(), self.distribution.naming_lost_process():
            super().train_epoch(batches, callbacks)

    def fit_input(self, batches):
        """Returns a `tf.distribute.DistributedDataset` of the shares of each item of `Batches`."""

        def shares_of_process(context):
            replicas = context.num_replicas_in_sync
            local = replicas // context.num_input_pipelines
            first = context.input_pipeline_id * local

            def generate():
                for index in range(len(batches)):
                    batch = batches[index]
                    for replica in range(first, first + local):
                        yield share(batch, replica, replicas)

            return dataset_of(generate)

        return self.distribution.strategy.distribute_datasets_from_function(shares_of_process)

    def make_train_function(self, force=False):
        # That of Keras fails when it reduces the logs of several processes (keras#20585).
        if self.train_function is not None and not force:
            return
        strategy = self.distribution.strategy

        # The spec of the iterator has unknown dimensions, those of its items have not: with the
        # iterator as the argument, one trace is enough for all shapes.
        @tf.function(autograph=False)
        def step(iterator):
            logs = strategy.run(self.train_step, args=(next(iterator),))
            # Equal in all replicas.
            return {name: strategy.experimental_local_results(logs[name])[0] for name in logs}

        self.train_function = step

    def train_step(self, data):
        inputs, target_out_ids, weights = data
        with tf.GradientTape() as tape:
            features = self(inputs, training=True)
            loss = self.compute_loss(inputs, target_out_ids, features, weights)
        gradients = tape.gradient(loss, self.trainable_variables)
        pairs = ops.sum(ops.cast(weights[:, 0] > FILLER_WEIGHT, loss.dtype))
        loss, pairs, *gradients = tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.SUM, [loss, pairs, *map(tf.convert_to_tensor, gradients)]
        )
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self._loss_tracker.update_state(loss, sample_weight=pairs)
        return self.get_metrics_result()

    def token_weights(self, weights):
        # `share` has divided them by the tokens of the whole batch.
        return weights
