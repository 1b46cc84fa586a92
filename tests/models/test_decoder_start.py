import keras
import numpy as np
import pytest
from attention_oracle import arrays_of

from keras_bahdanau import AttentionRNN, BahdanauAttention
from keras_bahdanau.models.decoder_start import decoder_start

MEMORY = np.random.default_rng(7).normal(size=(2, 5, 6)).astype("float32")
ENCODER_STATE = MEMORY[:, 0]


@pytest.mark.parametrize("order", ["before", "after"])
def test_keys_of_the_attention_and_a_bridge_for_each_state(order):
    rnn = AttentionRNN(keras.layers.LSTMCell(4), BahdanauAttention(3), order=order)
    rnn.build((None, None, 2), (None, None, 6))
    model = decoder_start(rnn, memory_dim=6, initializer_range=0.5)
    start = arrays_of(model({"memory": MEMORY, "encoder_state": ENCODER_STATE}))
    np.testing.assert_array_equal(start["keys"], arrays_of(rnn.project_keys(MEMORY)))
    widths = rnn.attention_cell.recurrent_state_size
    assert [state.shape for state in start["initial_state"]] == [(2, width) for width in widths]
    for index, state in enumerate(start["initial_state"]):
        kernel, bias = model.get_layer(f"bridge_{index}").get_weights()
        np.testing.assert_allclose(state, np.tanh(ENCODER_STATE @ kernel + bias), atol=1e-6)


def test_shares_the_weights_of_the_attention_and_is_not_saved_alone(tmp_path):
    rnn = AttentionRNN(keras.layers.GRUCell(4), BahdanauAttention(3))
    rnn.build((None, None, 2), (None, None, 6))
    model = decoder_start(rnn, memory_dim=6, initializer_range=0.5)
    shared = {id(weight) for weight in rnn.weights} & {id(weight) for weight in model.weights}
    assert shared == {id(weight) for weight in rnn.attention.weights}
    with pytest.raises(NotImplementedError, match="saved with its decoder"):
        model.save(tmp_path / "start.keras")
