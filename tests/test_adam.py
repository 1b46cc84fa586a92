import keras
import numpy as np
import pytest

from keras_bahdanau.training.adam import Adam

ARGUMENTS = [
    {"learning_rate": 0.01},
    {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3},
    {"learning_rate": 0.01, "global_clipnorm": 0.5},
    {"learning_rate": 0.01, "weight_decay": 0.1},
    {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)},
]


def steps(optimizer, count=5):
    generator = np.random.default_rng(0)
    shapes = (3, 4), (5,)
    variables = [keras.Variable(generator.normal(size=s), dtype="float32") for s in shapes]
    for _ in range(count):
        gradients = [generator.normal(size=v.shape).astype("float32") for v in variables]
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
    return variables


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_steps_are_those_of_keras(arguments):
    ours, theirs = Adam(**arguments), keras.optimizers.Adam(**arguments)
    pairs = [*zip(steps(ours), steps(theirs), strict=True)]
    pairs += zip(ours.variables, theirs.variables, strict=True)
    for variable, expected in pairs:
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(variable),
            keras.ops.convert_to_numpy(expected),
            rtol=2e-5,
            atol=1e-7,
        )


def test_training_goes_on_from_the_weights_and_not_from_their_averages():
    optimizer = Adam(0.1, use_ema=True, ema_momentum=0.9)
    variables = steps(optimizer)
    before = [keras.ops.convert_to_numpy(variable) for variable in variables]
    optimizer.finalize_variable_values(variables)
    for variable, expected, average in zip(variables, before, optimizer.averages, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), expected)
        assert not np.allclose(keras.ops.convert_to_numpy(average), expected)


def test_the_momentum_of_the_averages_rises_to_what_was_asked():
    averages = None
    for count in range(1, 8):
        optimizer = Adam(0.1, use_ema=True, ema_momentum=0.2)
        weights = [keras.ops.convert_to_numpy(variable) for variable in steps(optimizer, count)]
        momentum = min(0.2, (count - 1) / (count + 9))
        averages = averages or weights
        pairs = zip(averages, weights, strict=True)
        averages = [momentum * average + (1 - momentum) * weight for average, weight in pairs]
        for average, expected in zip(optimizer.averages, averages, strict=True):
            np.testing.assert_allclose(keras.ops.convert_to_numpy(average), expected, rtol=1e-4)
