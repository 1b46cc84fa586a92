"""Adam with a fused update on TensorFlow, and with a warmup of the weights' moving averages."""

import keras
from keras import ops


class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` with the same arguments, variables and updates.

    On TensorFlow each variable is updated by one fused operation, instead of a dozen that each read
    the whole variable. On other backends compilers fuse them.

    The momentum of the moving averages (`use_ema`) rises to `ema_momentum`: after step t it is at
    most t / (t + 10). So the averages soon forget the initial weights.
    """

    @property
    def averages(self):
        """Moving averages of the weights (`use_ema`), in the order of the weights."""
        return self._model_variables_moving_average

    def finalize_variable_values(self, var_list):
        # `fit` calls this at its end, here after each epoch. Keras would replace the weights by
        # their averages, which are for evaluation only.
        pass

    def _update_model_variables_moving_average(self, trainable_variables):
        steps = ops.cast(self.iterations, "float32")
        share = 1 - ops.minimum(self.ema_momentum, steps / (steps + 10))
        for variable, average in zip(trainable_variables, self.averages, strict=True):
            average.assign(average + ops.cast(share, variable.dtype) * (variable - average))

    def _all_reduce_sum_gradients(self, grads_and_vars):
        # Keras would sum the gradients of the replicas here, after it has clipped each of them.
        # `ReplicatedTrainingModel` sums them before.
        return grads_and_vars

    def apply(self, grads, trainable_variables=None):
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            # Densifies `tf.IndexedSlices`, the gradients of embedding lookups: rows of the same
            # index have to be added before Keras clips by the norm.
            grads = [each if each is None else tf.convert_to_tensor(each) for each in grads]
        super().apply(grads, trainable_variables)

    def update_step(self, gradient, variable, learning_rate):
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            return super().update_step(gradient, variable, learning_rate)
        import tensorflow as tf

        step = ops.cast(self.iterations + 1, variable.dtype)
        index = self._get_variable_index(variable)
        momentum, velocity = self._momentums[index], self._velocities[index]
        beta_1, beta_2, rate = (
            ops.cast(value, variable.dtype) for value in (self.beta_1, self.beta_2, learning_rate)
        )
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=momentum.value.handle,
            v=velocity.value.handle,
            beta1_power=ops.power(beta_1, step),
            beta2_power=ops.power(beta_2, step),
            lr=rate,
            beta1=beta_1,
            beta2=beta_2,
            epsilon=ops.cast(self.epsilon, variable.dtype),
            grad=gradient,
        )
