"""Batch compaction: only active hypotheses are decoded."""

import keras
from keras import ops, tree

from keras_bahdanau.backend.indexing import rows_of
from keras_bahdanau.backend.loops import ROW_MULTIPLE

# The batch is compacted when this share of its rows, or less, would remain.
COMPACTION_THRESHOLD = (7, 8)


class ActiveRows:
    """The rows of the step function's batch, and the slot of the hypothesis in each.

    The search keeps `width` slots per sentence: slot `sentence * width + beam`. Active hypotheses
    have a row in every call of the step function. Finished ones lose theirs when the batch is
    compacted, so the batch shrinks as sentences finish. On JAX, whose shapes are static, every
    slot keeps its row.

    The methods pass a dict `rows`:
        slots: int32 tensor of shape `(rows,)`, the slot of each row. The number of rows is rounded
            up: the last slot may be repeated.
        row_of_slot: int32 tensor of shape `(batch_size * width,)`, a row of each slot, or -1.
        states: list of tensors with leading dimension `rows`.
        constants: list of tensors with leading dimension `rows`.

    Args:
        batch_size: int or scalar int tensor.
        width: int, slots per sentence.
        constants: list of tensors with leading dimension `batch_size`.
    """

    def __init__(self, batch_size, width, constants):
        self.num_slots = batch_size * width
        self.width = width
        self.constants = constants
        self.all_slots = ops.arange(self.num_slots, dtype="int32")
        self.is_static = keras.backend.backend() == "jax"

    def initial(self, states, one_per_sentence):
        """Returns the rows of the first step.

        Args:
            states: list of tensors with leading dimension `batch_size`.
            one_per_sentence: whether one row per sentence is enough, because its hypotheses are
                still identical.
        """
        if one_per_sentence and not self.is_static:
            slots = self.all_slots[:: self.width]
            is_first = self.all_slots % self.width == 0
            row_of_slot = ops.where(is_first, self.all_slots // self.width, -1)
        else:
            slots = row_of_slot = self.all_slots
        return {
            "slots": slots,
            "row_of_slot": row_of_slot,
            "states": self._repeat_for(slots, states),
            "constants": self._repeat_for(slots, self.constants),
        }

    def update(self, rows, states, parents, active):
        """Returns the rows of the next step: compacted, with the states of their parents.

        Args:
            rows: the rows of this step.
            states: list of tensors, the new states of these rows.
            parents: int32 tensor of shape `(slots,)`, the slot that each hypothesis extends;
                `None` where each extends itself.
            active: bool tensor of shape `(slots,)`.
        """
        is_reordered = parents is not None
        row_of_slot = rows["row_of_slot"]
        new = {**rows, "states": [] if is_reordered else states}
        if not self.is_static:
            new = self._compact(new, active, is_reordered)
        if is_reordered:
            parent_rows = rows_of(ops.maximum(row_of_slot, 0), rows_of(parents, new["slots"]))
            new["states"] = [rows_of(state, parent_rows) for state in states]
        return new

    def gather_to_slots(self, values, rows):
        """Values of rows as values of slots, `(slots,)`; arbitrary for finished hypotheses."""
        return rows_of(values, ops.maximum(rows["row_of_slot"], 0))

    def scatter_to_slots(self, values, rows, default):
        """Values of rows as values of slots, `(slots, ...)`; `default` for slots without a row."""
        filled = ops.full((self.num_slots, *ops.shape(values)[1:]), default, dtype=values.dtype)
        return ops.scatter_update(filled, rows["slots"][:, None], values)

    def _compact(self, rows, active, is_reordered):
        """Drops the rows of finished hypotheses when enough of them can go."""
        slots, row_of_slot, constants, states = (
            rows[name] for name in ("slots", "row_of_slot", "constants", "states")
        )
        num_active = ops.sum(ops.cast(active, "int32"))
        num_rows = ops.minimum(num_active + -num_active % ROW_MULTIPLE, self.num_slots)
        part, whole = COMPACTION_THRESHOLD
        is_due = num_rows * whole <= ops.shape(slots)[0] * part
        if is_reordered:
            # An active hypothesis may have moved to a slot without a row.
            is_missing = ops.any(ops.logical_and(active, row_of_slot < 0))
            is_due = ops.logical_or(is_missing, is_due)
        is_due = ops.logical_and(num_active > 0, is_due)

        def compacted():
            found = ops.cast(ops.nonzero(active)[0], "int32")
            rank = ops.arange(num_rows, dtype="int32")
            new_slots = rows_of(found, ops.minimum(rank, num_active - 1))
            no_row = ops.full((self.num_slots,), -1, dtype="int32")
            new_row_of_slot = ops.scatter_update(
                no_row, found[:, None], ops.arange(num_active, dtype="int32")
            )
            new_constants = self._repeat_for(new_slots, self.constants)
            old_rows = rows_of(row_of_slot, new_slots)
            new_states = [rows_of(state, old_rows) for state in states]
            return [new_slots, new_row_of_slot, *new_constants, *new_states]

        slots, row_of_slot, *tensors = ops.cond(
            is_due, compacted, lambda: [slots, row_of_slot, *constants, *states]
        )
        return {
            "slots": slots,
            "row_of_slot": row_of_slot,
            "constants": tensors[: len(constants)],
            "states": tensors[len(constants) :],
        }

    def _repeat_for(self, slots, tensors):
        """Tensors with leading dimension `batch_size`, for each slot the row of its sentence."""
        return [rows_of(tensor, slots // self.width) for tensor in tensors]


def while_loop(condition, body, loop_vars):
    """`keras.ops.while_loop` that lets the first dimension of tensors change between iterations.

    On JAX, whose shapes are static, it may not change.

    Args:
        condition: function of the loop variables; returns a bool.
        body: function of the loop variables; returns new ones, of the same structure.
        loop_vars: nested structure of tensors.

    Returns:
        The last loop variables.
    """
    flat = [ops.convert_to_tensor(x) for x in tree.flatten(loop_vars)]

    def packed(function):
        return lambda *flat: function(*tree.pack_sequence_as(loop_vars, flat))

    def flat_body(*flat):
        return tree.flatten(packed(body)(*flat))

    if keras.backend.backend() != "tensorflow":
        flat = ops.while_loop(packed(condition), flat_body, flat)
    else:
        import tensorflow as tf

        shapes = [tf.TensorShape([None, *x.shape[1:]] if x.shape.rank else []) for x in flat]
        flat = tf.while_loop(packed(condition), flat_body, flat, shape_invariants=shapes)
    return tree.pack_sequence_as(loop_vars, flat)
