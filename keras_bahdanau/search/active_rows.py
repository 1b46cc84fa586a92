"""The rows that a search computes: its growing hypotheses, and few others."""

import keras
from keras import ops

from keras_bahdanau.backend.indexing import rows_of
from keras_bahdanau.backend.loops import ROW_MULTIPLE

# Rows are chosen again when this share of them would be left.
WORTH_SHRINKING = (7, 8)


class Rows:
    """Which hypotheses are computed, and what a step needs for them.

    A search keeps `width` slots for each sentence, slot `sentence * width + beam`. Slots of
    hypotheses that grow have a row in each call of the step function; the others lose theirs from
    time to time, so that a batch shrinks as its sentences end. On JAX, which has to know all
    shapes, every slot keeps its row.

    Rows are a dict of
        slots: int32 tensor of shape `(rows,)`, the slot of each row. Some may occur twice.
        place: int32 tensor of shape `(batch_size * width,)`, a row of each slot, or -1.
        states: list of tensors with leading dimension `rows`.
        constants: list of tensors with leading dimension `rows`.

    Args:
        batch_size: int or scalar int tensor.
        width: int, slots of a sentence.
        constants: list of tensors with leading dimension `batch_size`.
    """

    def __init__(self, batch_size, width, constants):
        self.count = batch_size * width
        self.width = width
        self.constants = constants
        self.all_slots = ops.arange(self.count, dtype="int32")
        self.is_fixed = keras.backend.backend() == "jax"

    def first(self, states, alike):
        """The rows of the first step.

        Args:
            states: list of tensors with leading dimension `batch_size`.
            alike: whether the hypotheses of a sentence are still alike, so that one will do.
        """
        if alike and not self.is_fixed:
            slots = self.all_slots[:: self.width]
            is_first = self.all_slots % self.width == 0
            place = ops.where(is_first, self.all_slots // self.width, -1)
        else:
            slots = place = self.all_slots
        return {
            "slots": slots,
            "place": place,
            "states": self._of_slots(states, slots),
            "constants": self._of_slots(self.constants, slots),
        }

    def next(self, rows, states, parents, growing):
        """The rows of the next step.

        Args:
            rows: those of the last one.
            states: list of tensors, the states after it, with its rows.
            parents: int32 tensor of shape `(slots,)`, the slot that each hypothesis continues;
                `None` where each continues itself.
            growing: bool tensor of shape `(slots,)`.
        """
        slots, place, constants = rows["slots"], rows["place"], rows["constants"]
        stay = parents is None
        if not self.is_fixed:
            count = ops.sum(ops.cast(growing, "int32"))
            fewest = ops.minimum(count + -count % ROW_MULTIPLE, self.count)
            part, whole = WORTH_SHRINKING
            is_due = fewest * whole <= ops.shape(slots)[0] * part
            if not stay:
                is_missing = ops.any(ops.logical_and(growing, place < 0))
                is_due = ops.logical_or(is_missing, is_due)
            is_due = ops.logical_and(count > 0, is_due)
            moved = states if stay else []

            def choose():
                slots, new_place, *constants = self._chosen(growing, count, fewest)
                rows = rows_of(place, slots)
                return [slots, new_place, *constants, *(rows_of(state, rows) for state in moved)]

            slots, new_place, *found = ops.cond(
                is_due, choose, lambda: [slots, place, *constants, *moved]
            )
            constants, moved = found[: len(constants)], found[len(constants) :]
            states = moved if stay else states
        else:
            new_place = place
        if not stay:
            parents = rows_of(ops.maximum(place, 0), rows_of(parents, slots))
            states = [rows_of(state, parents) for state in states]
        return {"slots": slots, "place": new_place, "states": states, "constants": constants}

    def of_growing(self, values, rows):
        """Values of rows in their slots, `(slots,)`; anything where a hypothesis has ended."""
        return rows_of(values, ops.maximum(rows["place"], 0))

    def put(self, values, rows, default):
        """Values of rows in their slots, `(slots, ...)`; the default, a number, elsewhere."""
        filled = ops.full((self.count, *ops.shape(values)[1:]), default, dtype=values.dtype)
        return ops.scatter_update(filled, rows["slots"][:, None], values)

    def _chosen(self, growing, count, fewest):
        found = ops.cast(ops.nonzero(growing)[0], "int32")
        slots = rows_of(found, ops.minimum(ops.arange(fewest, dtype="int32"), count - 1))
        nowhere = ops.full((self.count,), -1, dtype="int32")
        place = ops.scatter_update(nowhere, found[:, None], ops.arange(count, dtype="int32"))
        return [slots, place, *self._of_slots(self.constants, slots)]

    def _of_slots(self, tensors, slots):
        return [rows_of(tensor, slots // self.width) for tensor in tensors]
