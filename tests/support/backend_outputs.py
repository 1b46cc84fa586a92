"""Writes what every layer computes on the backend that Keras runs on, for other backends to equal.

    python tests/support/backend_outputs.py FILE.npz

The file has, for each layer of the family, its outputs and all of their gradients, for inputs and
weights that NumPy has drawn.
"""

import sys

import numpy as np
from attention_oracle import arrays_of
from family import ATTENTIONS, RECURRENT, new_attention, new_recurrent
from keras import ops, tree
from on_backend import value_and_gradients, weighted_loss

MASK = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 0, 0]], dtype=bool)


def main(path):
    arrays = {}
    for name in ATTENTIONS:
        arguments = {"value_mask": ops.convert_to_tensor(MASK), "return_attention_scores": True}
        results = results_of(new_attention(name), **arguments)
        arrays |= {f"{name} attention, {result}": array for result, array in results.items()}
    for name in RECURRENT:
        results = results_of(new_recurrent(name), memory_mask=ops.convert_to_tensor(MASK))
        arrays |= {f"{name} decoder, {result}": array for result, array in results.items()}
    np.savez(path, **arrays)


def results_of(layer, **call_arguments):
    generator = np.random.default_rng(10)
    query, value = generator.normal(size=(2, 3, 4)), generator.normal(size=(2, 5, 6))
    inputs = [query.astype("float32"), value.astype("float32")]
    layer.build(query.shape, value.shape)
    for weight in layer.trainable_variables:
        weight.assign(0.7 * generator.normal(size=tuple(weight.shape)))

    def probe(shape):
        return np.cos(np.arange(np.prod(shape))).reshape(shape)

    outputs = tree.flatten(arrays_of(layer(*inputs, **call_arguments)))
    loss = weighted_loss(layer, probe, **call_arguments)
    _, gradients = value_and_gradients(loss, [*inputs, *arrays_of(layer.trainable_variables)])
    names = ["query", "value", *(weight.name for weight in layer.trainable_variables)]
    return {
        **{f"output {number}": output for number, output in enumerate(outputs)},
        **{
            f"gradient {number} of {name}": gradient
            for number, (name, gradient) in enumerate(zip(names, gradients, strict=True))
        },
    }


if __name__ == "__main__":
    main(sys.argv[1])
