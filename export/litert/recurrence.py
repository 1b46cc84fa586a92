"""Recurrent layers with as many time steps as the sentence has tokens (a dynamic RNN)."""

import keras
import tensorflow as tf

from keras_bahdanau.recurrent.gru_cell import GRUCell

from .search_graphs import zeros


class TrueLengthRecurrence(keras.layers.Layer):
    """Runs a recurrent layer on one padded sentence, over its unmasked positions only.

    Keras loops over padding too, and its loop uses tensor lists, which the LiteRT converter
    supports for some shapes only. Here one while loop computes both directions: at step t, the
    forward cell reads position t and the backward cell position `length - 1 - t`. Outputs at
    unmasked positions and final states equal those of the wrapped layer; outputs at masked
    positions are zeros.

    Args:
        layer: a built `keras.layers.Bidirectional`, or a `keras.layers.RNN` that reads forwards.
            Its cells, and so its weights, are used, not copied.

    Call arguments:
        sequence: float tensor of shape `(1, length, dim)`.
        initial_state: optional list of tensors of shape `(1, units)`, as the layer takes it.
        mask: optional bool tensor of shape `(1, length)`, True = keep, padding on the right.

    Returns: what the wrapped layer returns.
    """

    def __init__(self, layer, **kwargs):
        super().__init__(name=f"true_length_{layer.name}", dtype="float32", **kwargs)
        self.layer = layer
        self.supports_masking = True
        if isinstance(layer, keras.layers.Bidirectional):
            self.directions = [layer.forward_layer, layer.backward_layer]
        elif not layer.go_backwards:
            self.directions = [layer]
        else:
            raise ValueError(
                "A recurrent layer that is exported to LiteRT must be bidirectional or read "
                f"forwards. Received: {layer.name} with go_backwards=True"
            )

    def build(self, *args, **kwargs):
        self.built = True

    def call(self, sequence, initial_state=None, mask=None):
        cells = [direction.cell for direction in self.directions]
        capacity = sequence.shape[1]
        length = capacity if mask is None else tf.reduce_sum(tf.cast(mask[0], "int32"))
        states = [cell.get_initial_state(batch_size=1) for cell in cells]
        if initial_state is not None:
            states = keras.tree.pack_sequence_as(states, keras.tree.flatten(initial_state))
        structure = states
        outputs = [zeros((1, capacity, _flat_size(cell.output_size)), length) for cell in cells]
        positions = tf.range(capacity)[tf.newaxis, :, tf.newaxis]

        # The input projections of all positions are one product.
        inputs = [
            cell.project_inputs(sequence) if _projects_inputs(cell) else sequence for cell in cells
        ]

        def step(time, outputs, states):
            states = keras.tree.pack_sequence_as(structure, states)
            new_outputs, new_states = [], []
            for index, cell in enumerate(cells):
                position = time if index == 0 else length - 1 - time
                advance = cell.advance if _projects_inputs(cell) else cell
                output, state = advance(tf.gather(inputs[index], position, axis=1), states[index])
                output = tf.expand_dims(output, 1)
                buffer = tf.where(positions == position, output, outputs[index])
                new_outputs.append(buffer)
                new_states.append(state)
            return time + 1, new_outputs, keras.tree.flatten(new_states)

        _, outputs, states = tf.while_loop(
            lambda time, outputs, states: time < length,
            step,
            [tf.constant(0), outputs, keras.tree.flatten(states)],
        )
        return self._layer_outputs(outputs, keras.tree.pack_sequence_as(structure, states), length)

    def _layer_outputs(self, outputs, states, length):
        last = self.directions[0]
        if not last.return_sequences:
            ends = [length - 1, 0][: len(outputs)]
            outputs = [
                tf.gather(output, end, axis=1) for output, end in zip(outputs, ends, strict=True)
            ]
        if len(outputs) == 1:
            merged = [outputs[0]]
        else:
            merged = _merge(outputs, self.layer.merge_mode)
        if last.return_state:
            merged = [*merged, *keras.tree.flatten(states)]
        return merged[0] if len(merged) == 1 else tuple(merged)

    def compute_mask(self, inputs, mask=None):
        return None


def _projects_inputs(cell):
    return isinstance(cell, GRUCell) and cell.projects_inputs


def _flat_size(size):
    return size[-1] if isinstance(size, (list, tuple)) else size


def _merge(outputs, merge_mode):
    forward, backward = outputs
    if merge_mode == "concat":
        return [tf.concat([forward, backward], axis=-1)]
    if merge_mode == "sum":
        return [forward + backward]
    if merge_mode == "ave":
        return [(forward + backward) / 2]
    if merge_mode == "mul":
        return [forward * backward]
    return [forward, backward]
