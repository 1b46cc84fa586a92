"""The parts of an attention cell: do they fit, how wide are they, what were they."""

import keras
from keras import tree

from keras_bahdanau.recurrent.attended import check_count, shape_for_each

PARTS = ("cell", "attention", "second_cell", "attention_layer", "input_layer")


def check_parts(cell):
    """Raises ValueError unless the parts of an `AttentionCell` fit together."""
    order, second_cell = cell.order, cell.second_cell
    if (second_cell is not None) != (order == "between"):
        raise ValueError(
            "Expected `second_cell` with order='between', and only then. Received: "
            f"order={order!r}, second_cell={second_cell}"
        )
    if second_cell is not None:
        sizes = [list(tree.flatten(cell.state_size)) for cell in (cell.cell, second_cell)]
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"Expected `second_cell` to have the states of `cell`, of widths {sizes[0]}. "
                f"Received: {sizes[1]}"
            )
        if cell.input_layer is not None:
            raise ValueError(
                "Expected no `input_layer` with order='between', whose two cells have one input "
                f"each. Received: input_layer={cell.input_layer}"
            )
    if isinstance(cell.attention_layer, (list, tuple)):
        check_count("attention_layer", cell.attention_layer, cell.count)


def build_parts(cell, inputs_shape, memory_shape):
    """Builds what is not built yet of an `AttentionCell`, and sets its widths."""
    batch_size, input_dim = inputs_shape[0], inputs_shape[-1]
    shapes = shape_for_each(memory_shape, cell.count)
    cell.value_dims = [shape[-1] for shape in shapes]
    cell.context_dims = []
    for attention, layer, shape in zip(cell.attentions, cell.attention_layers, shapes, strict=True):
        if not attention.built:
            attention.build((batch_size, cell.query_dim), shape)
        dim = shape[-1]
        if layer is not None:
            joined = (batch_size, cell.query_dim + dim)
            if not layer.built:
                layer.build(joined)
            dim = layer.compute_output_shape(joined)[-1]
        cell.context_dims.append(dim)
    if cell.order == "between":
        cell.cell_input_dims = [input_dim, cell.context_dim]
    elif cell.input_layer is None:
        cell.cell_input_dims = [input_dim + cell.context_dim]
    else:
        joined = [(batch_size, input_dim), (batch_size, cell.context_dim)]
        if not cell.input_layer.built:
            cell.input_layer.build(joined)
        cell.cell_input_dims = [cell.input_layer.compute_output_shape(joined)[-1]]
    for transition, dim in zip(cell.transitions, cell.cell_input_dims, strict=True):
        if isinstance(transition, keras.layers.Layer) and not transition.built:
            transition.build((batch_size, dim))


def deserialized_parts(config):
    """A config whose parts are objects again."""
    return {
        name: keras.saving.deserialize_keras_object(value) if name in PARTS else value
        for name, value in config.items()
    }
