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


@pytest.mark.parametrize("clipping", ["clipnorm", "global_clipnorm"])
def test_the_norm_is_that_of_a_gradient_whose_equal_rows_are_added(clipping):
    # Row 1 is looked up three times: its gradient is (3, 4), and that of row 2 is (0, 12).
    ids = np.array([[1, 1, 2, 1]])
    slopes = np.array([[[1.0, 2.0], [4.0, 4.0], [0.0, 12.0], [-2.0, -2.0]]], "float32")
    gradient = np.array([[0, 0], [3, 4], [0, 12]]) * 6.5 / 13
    embedding = keras.layers.Embedding(3, 2)
    model = keras.Sequential([keras.Input((None,), dtype="int32"), embedding])
    # With a large epsilon, a step depends on the size of the gradient.
    optimizer = Adam(0.1, beta_1=0.9, beta_2=0.99, epsilon=1.0, **{clipping: 6.5})
    model.compile(optimizer, lambda factors, rows: keras.ops.sum(factors * rows))
    expected = embedding.get_weights()[0].astype("float64")
    momentum = velocity = 0
    for step in range(1, 4):
        momentum = 0.9 * momentum + 0.1 * gradient
        velocity = 0.99 * velocity + 0.01 * gradient**2
        rate = 0.1 * np.sqrt(1 - 0.99**step) / (1 - 0.9**step)
        expected -= rate * momentum / (np.sqrt(velocity) + 1)
        model.train_on_batch(ids, slopes)
        np.testing.assert_allclose(embedding.get_weights()[0], expected, atol=1e-6)


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
