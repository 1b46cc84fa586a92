"""Runs TensorFlow Addons 0.23 and stores what it computes, beside this file.

TensorFlow Addons needs Keras 2, so it runs in an environment of its own (Python 3.11):

    python3.11 -m venv addons-env
    addons-env/bin/pip install tensorflow-cpu==2.15.1 tensorflow-addons==0.23.0 \\
        typeguard==2.13.3 "numpy<2"
    addons-env/bin/python tests/support/tensorflow_addons/make_arrays.py

The tests compare the layers here with the three `.npz` files that this writes. The name of an
array is `<case>/<what it is>`; a config is a string of JSON. The folder `model` is what the user of
`docs/migrating.md` has at hand: a checkpoint and the config of the attention.
"""

import itertools
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

FOLDER = Path(__file__).parent
MODEL = FOLDER / "model"
MODEL_CASE = "gru_attention_layer_cell_output"
BATCH_SIZE, MEMORY_LENGTH, STEPS = 4, 6, 5
QUERY_DIM, MEMORY_DIM, INPUT_DIM, UNITS = 9, 8, 3, 7
LENGTHS = np.array([6, 4, 1, 5], dtype="int32")


def random_array(generator, *shape, scale=1.0):
    return generator.normal(scale=scale, size=shape).astype("float32")


def randomize(layer, generator, scale=1.0):
    """Values that no initializer would give, so that no weight can be mistaken for another."""
    for variable in layer.weights:
        variable.assign(random_array(generator, *variable.shape, scale=scale))


def stack_steps(tensors):
    return tf.stack(tensors, axis=1)


def attend(attention, memory, queries):
    """Contexts and alignments of one query after the other, as `AttentionWrapper` makes them."""
    attention.setup_memory(memory, tf.constant(LENGTHS))
    state = attention.initial_state(BATCH_SIZE, tf.float32)
    contexts, alignments = [], []
    for query in tf.unstack(queries, axis=1):
        weights, state = attention([query, state])
        contexts.append(tf.einsum("bj,bjd->bd", weights, attention.values))
        alignments.append(weights)
    return stack_steps(contexts), stack_steps(alignments)


def attention_arrays(attention, seed, differentiable):
    """What an attention mechanism computes for random weights and inputs, and the gradients."""
    generator = np.random.default_rng(seed)
    memory = tf.constant(random_array(generator, BATCH_SIZE, MEMORY_LENGTH, MEMORY_DIM))
    queries = tf.constant(random_array(generator, BATCH_SIZE, STEPS, QUERY_DIM))
    attend(attention, memory, queries)
    randomize(attention, generator)
    with tf.GradientTape() as tape:
        tape.watch([memory, queries])
        contexts, alignments = attend(attention, memory, queries)
        loss = tf.reduce_sum(tf.square(contexts))
    arrays = {
        "config": json.dumps(attention.get_config()),
        "lengths": LENGTHS,
        "memory": memory,
        "queries": queries,
        "contexts": contexts,
        "alignments": alignments,
    }
    sources = {"memory": memory, "queries": queries}
    for variable in attention.weights:
        arrays[f"weights/{variable.name}"] = variable
        sources[f"weights/{variable.name}"] = variable
    if differentiable:
        gradients = tape.gradient(loss, sources)
        arrays.update({f"gradients/{name}": gradients[name] for name in gradients})
    return arrays


def bahdanau_cases():
    for seed, (normalize, probability) in enumerate(
        itertools.product((False, True), ("softmax", "hardmax"))
    ):
        name = f"{probability}_normalize" if normalize else probability
        attention = tfa.seq2seq.BahdanauAttention(
            UNITS, normalize=normalize, probability_fn=probability
        )
        yield name, attention_arrays(attention, 40 + seed, probability == "softmax")


def monotonic_cases():
    for seed, (normalize, mode) in enumerate(
        itertools.product((False, True), ("parallel", "recursive", "hard"))
    ):
        name = f"{mode}_normalize" if normalize else mode
        attention = tfa.seq2seq.BahdanauMonotonicAttention(
            UNITS, normalize=normalize, mode=mode, score_bias_init=-0.5
        )
        yield name, attention_arrays(attention, 10 + seed, mode != "hard")


def checkpoint_arrays(path, **objects):
    """Writes a checkpoint and returns the weights in it under their keys."""
    reader = tf.train.load_checkpoint(tf.train.Checkpoint(**objects).write(str(path)))
    return {
        name: reader.get_tensor(name)
        for name in sorted(reader.get_variable_to_shape_map())
        if name.endswith("VARIABLE_VALUE")
    }


def wrapper_arrays(cell, attention, seed, checkpoint, **arguments):
    """Several steps of `AttentionWrapper`, with random weights, inputs and initial state."""
    generator = np.random.default_rng(seed)
    several = isinstance(attention, list)
    mechanisms = attention if several else [attention]
    memories = [
        random_array(generator, BATCH_SIZE, MEMORY_LENGTH + i, MEMORY_DIM + i)
        for i in range(len(mechanisms))
    ]
    for mechanism, memory in zip(mechanisms, memories, strict=True):
        mechanism.setup_memory(tf.constant(memory), tf.constant(LENGTHS))
    wrapper = tfa.seq2seq.AttentionWrapper(cell, attention, alignment_history=True, **arguments)
    inputs = random_array(generator, BATCH_SIZE, STEPS, INPUT_DIM)
    cell_state = [
        random_array(generator, BATCH_SIZE, size, scale=0.5)
        for size in tf.nest.flatten(cell.state_size)
    ]
    # The first call makes the weights.
    wrapper(inputs[:, 0], wrapper.get_initial_state(batch_size=BATCH_SIZE, dtype=tf.float32))
    # Not so large that a recurrence would magnify the last digit.
    randomize(wrapper, generator, scale=0.5)
    # The keys were made with the weights before.
    for mechanism, memory in zip(mechanisms, memories, strict=True):
        mechanism.setup_memory(tf.constant(memory), tf.constant(LENGTHS))

    state = wrapper.get_initial_state(batch_size=BATCH_SIZE, dtype=tf.float32)
    packed = tf.nest.pack_sequence_as(state.cell_state, [tf.constant(s) for s in cell_state])
    state = state.clone(cell_state=packed)
    outputs, attentions, alignments = [], [], [[] for _ in mechanisms]
    for step_inputs in tf.unstack(tf.constant(inputs), axis=1):
        output, state = wrapper(step_inputs, state)
        outputs.append(output)
        attentions.append(state.attention)
        for steps, step in zip(alignments, tf.nest.flatten(state.alignments), strict=True):
            steps.append(step)

    arrays = {
        "lengths": LENGTHS,
        "inputs": inputs,
        "outputs": stack_steps(outputs),
        "attentions": stack_steps(attentions),
        "final_attention": state.attention,
    }
    for i, mechanism in enumerate(mechanisms):
        history = state.alignment_history[i] if several else state.alignment_history
        arrays[f"config/{i}"] = json.dumps(mechanism.get_config())
        arrays[f"memory/{i}"] = memories[i]
        arrays[f"alignments/{i}"] = stack_steps(alignments[i])
        arrays[f"alignment_history/{i}"] = history.stack()
    for i, first in enumerate(cell_state):
        arrays[f"initial_state/{i}"] = first
        arrays[f"final_state/{i}"] = tf.nest.flatten(state.cell_state)[i]
    for name, array in checkpoint_arrays(checkpoint, decoder=wrapper).items():
        arrays[f"weights/{name}"] = array
    return arrays


def wrapper_cases(folder):
    """The cases of the wrapper, each with a checkpoint of its name in the folder."""
    cells = {"gru": tf.keras.layers.GRUCell, "lstm": tf.keras.layers.LSTMCell}
    for seed, (cell, size, output_attention) in enumerate(
        itertools.product(cells, (None, 10), (True, False))
    ):
        layer = "context" if size is None else "attention_layer"
        name = f"{cell}_{layer}_{'attention' if output_attention else 'cell'}_output"
        yield (
            name,
            wrapper_arrays(
                cells[cell](QUERY_DIM),
                tfa.seq2seq.BahdanauAttention(UNITS),
                20 + seed,
                folder / name,
                attention_layer_size=size,
                output_attention=output_attention,
            ),
        )
    mechanisms = [
        tfa.seq2seq.BahdanauAttention(UNITS, normalize=True),
        tfa.seq2seq.BahdanauMonotonicAttention(UNITS + 1, score_bias_init=-0.5),
    ]
    name = "two_mechanisms"
    yield (
        name,
        wrapper_arrays(
            tf.keras.layers.GRUCell(QUERY_DIM),
            mechanisms,
            30,
            folder / name,
            attention_layer_size=[10, 11],
        ),
    )


def store(stem, cases):
    arrays = {
        f"{case}/{name}": np.asarray(value)
        for case, values in cases
        for name, value in values.items()
    }
    np.savez_compressed(FOLDER / f"{stem}.npz", **arrays)
    return arrays


def main():
    store("attention", bahdanau_cases())
    store("monotonic_attention", monotonic_cases())
    with tempfile.TemporaryDirectory() as folder:
        arrays = store("attention_wrapper", wrapper_cases(Path(folder)))
        MODEL.mkdir(exist_ok=True)
        for path in Path(folder).glob(f"{MODEL_CASE}.*"):
            shutil.copy(path, MODEL / f"weights{path.suffix}")
    config = str(arrays[f"{MODEL_CASE}/config/0"])
    (MODEL / "attention.json").write_text(config, encoding="utf-8")


if __name__ == "__main__":
    main()
