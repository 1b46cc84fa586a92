"""The signatures of `translator.tflite`: encode, decode_step, translate, translate_beam."""

import keras
import tensorflow as tf

from .search_graphs import beam_graph, greedy_graph, suppression_row, zeros

SIGNATURE_NAMES = ("encode", "decode_step", "translate", "translate_beam")


class Signatures:
    """`encode`, `decode_step`, `translate` and `translate_beam` as functions of tensors.

    All take one sentence. Inputs and outputs by name (T is `max_target_length`):

        encode          source_ids (1, max_length) int32, source_length (1) int32
                        -> memory, keys, state_0, state_1, ...
        decode_step     token_id (1) int32, source_length (1) int32, memory, keys, state_0, ...
                        -> logits (1, vocabulary_size), attention_scores (1, max_length),
                           state_0, ...
        translate       source_ids, source_length, max_length (1) int32
                        -> token_ids (1, T) int32, length (1) int32
        translate_beam  source_ids, source_length, max_length (1) int32
                        -> token_ids, length, log_probability (1), score (1) float32

    With `attention`, the last two have an output `attention`: attention scores of shape
    (1, T, max_length), zero from `length` and `source_length` on.

    Args:
        stepper: the `Stepper` of the model.
        special_ids: dict of `pad_id`, `unknown_id`, `start_id` and `end_id`.
        beam_width, length_penalty: of `translate_beam`, constants of the file.
        max_target_length: maximum length of a translation, the end token included.
        attention: whether `translate` and `translate_beam` return attention scores.
    """

    def __init__(
        self,
        stepper,
        special_ids,
        *,
        beam_width,
        length_penalty,
        max_target_length,
        attention=False,
    ):
        self.stepper = stepper
        self.special_ids = special_ids
        self.beam_width = beam_width
        self.length_penalty = length_penalty
        self.max_target_length = max_target_length
        self.attention = attention
        self.suppressed_ids = [special_ids[name] for name in ("pad_id", "unknown_id", "start_id")]

    def encode(self, source_ids, source_length):
        memory, keys, states = self.stepper.encode(source_ids, source_length)
        return {"memory": memory, "keys": keys, **_state_outputs(states)}

    def decode_step(self, token_id, source_length, memory, keys, *states):
        vocabulary = self.stepper.vocabulary
        logits, states, scores = self.stepper.step(
            vocabulary.shorten(token_id),
            memory,
            keys,
            self.stepper.mask(source_length),
            list(states),
        )
        return {
            "logits": vocabulary.widen(logits),
            "attention_scores": scores,
            **_state_outputs(states),
        }

    def translate(self, source_ids, source_length, max_length):
        step, states = self._search_step(source_ids, source_length)
        token_ids, length, attention = greedy_graph(
            step,
            states,
            suppressed=suppression_row(self.stepper.vocabulary.size, self.suppressed_ids),
            **self._search_arguments(max_length, rows=1),
        )
        return {**self._token_outputs(token_ids, length, attention), "length": length}

    def translate_beam(self, source_ids, source_length, max_length):
        step, states = self._search_step(source_ids, source_length)
        token_ids, length, log_probability, score, attention = beam_graph(
            step,
            states,
            beam_width=self.beam_width,
            length_penalty=self.length_penalty,
            suppressed_ids=self.suppressed_ids,
            **self._search_arguments(max_length, rows=self.beam_width),
        )
        return {
            **self._token_outputs(token_ids, length, attention),
            "length": length,
            "log_probability": log_probability,
            "score": score,
        }

    def _token_outputs(self, token_ids, length, attention):
        outputs = {"token_ids": self.stepper.vocabulary.restore(token_ids)}
        for scores in attention:
            # A finished hypothesis keeps attending until the beam ends.
            times = tf.reshape(tf.range(self.max_target_length), (1, -1, 1))
            outputs["attention"] = tf.where(times < length, scores, 0.0)
        return outputs

    def _search_step(self, source_ids, source_length):
        memory, keys, states = self.stepper.encode(source_ids, source_length)
        mask = self.stepper.mask(source_length)

        def step(token_ids, states, suppressed=None):
            return self.stepper.step(token_ids, memory, keys, mask, states, suppressed)

        return step, states

    def _search_arguments(self, max_length, rows):
        buffer = (rows, self.max_target_length, self.stepper.max_length)
        return {
            "attention": [zeros(buffer, max_length[0])] if self.attention else [],
            "special_ids": self.special_ids,
            "capacity": self.max_target_length,
            "max_length": max_length,
        }

    def write(self, directory):
        """Writes a SavedModel with these signatures, for the converter."""
        archive = keras.export.ExportArchive()
        for layer in self.stepper.layers:
            archive.track(layer)
        for name, specification in self._specifications().items():
            archive.add_endpoint(name, getattr(self, name), input_signature=specification)
        archive.write_out(str(directory), verbose=False)

    def _specifications(self):
        stepper = self.stepper
        length = tf.TensorSpec((1,), tf.int32, "source_length")
        source = [tf.TensorSpec((1, stepper.max_length), tf.int32, "source_ids"), length]
        search = [*source, tf.TensorSpec((1,), tf.int32, "max_length")]
        states = [
            tf.TensorSpec((1, units), tf.float32, f"state_{index}")
            for index, units in enumerate(stepper.state_units)
        ]
        step = [
            tf.TensorSpec((1,), tf.int32, "token_id"),
            length,
            tf.TensorSpec((1, stepper.max_length, stepper.memory_dim), tf.float32, "memory"),
            tf.TensorSpec((1, stepper.max_length, stepper.key_units), tf.float32, "keys"),
            *states,
        ]
        return dict(zip(SIGNATURE_NAMES, (source, step, search, search), strict=True))


def _state_outputs(states):
    return {f"state_{index}": state for index, state in enumerate(states)}
