"""A LiteRT file from text to text, with the tokenizer in the graph.

It needs tensorflow-text's custom operators for LiteRT, which exist in Python and in custom builds
of the runtime, but in no published library for Android, iOS or browsers: there, use
`translator.tflite` with a tokenizer beside it. In Python:

>>> import numpy as np, tensorflow_text
>>> from ai_edge_litert.interpreter import InterpreterWithCustomOps
>>> interpreter = InterpreterWithCustomOps(
...     model_path="my-model/litert/translator_text.tflite",
...     custom_op_registerers=tensorflow_text.tflite_registrar.SELECT_TFTEXT_OPS,
... )
>>> translate = interpreter.get_signature_runner("translate")
>>> translate(text=np.array(["A dog runs."], "object"))["translation"][0].decode()
'Ein Hund rennt.'
"""

import tempfile

import keras
import tensorflow as tf

from keras_bahdanau.errors import InputError

from .conversion import convert
from .tokenizer_file import tokenizer_description

TEXT_FILE_NAME = "translator_text.tflite"
TEXT_SIGNATURE_NAMES = ("translate", "translate_beam")
TEXT_OPERATORS = ("TFText>FastSentencepieceTokenize", "TFText>FastSentencepieceDetokenize")
_DESCRIPTION = (
    "keras-bahdanau: translates text to text. Needs tensorflow-text's operators for LiteRT: "
    "tensorflow_text.tflite_registrar.SELECT_TFTEXT_OPS"
)


def text_file(signatures, model_bytes, length_bound, quantization):
    """Converts a translator to a LiteRT file from text to text.

    Args:
        signatures: the `Signatures` of the translator.
        model_bytes: content of its SentencePiece model file.
        length_bound: dict of `factor` and `offset`, as in the manifest.
        quantization: as in `export_litert`.

    Returns:
        `(content, description)`: `bytes` of the file, and its entry in the manifest.

    Raises:
        InputError: tensorflow-text's operators do not support this kind of tokenizer.
    """
    graphs = TextSignatures(signatures, model_bytes, length_bound)
    with tempfile.TemporaryDirectory() as saved_model:
        graphs.write(saved_model)
        content = convert(
            saved_model,
            TEXT_SIGNATURE_NAMES,
            quantization,
            custom_operators=TEXT_OPERATORS,
            description=_DESCRIPTION,
        )
    text = {"shape": [1], "dtype": "string"}
    signature = {"inputs": {"text": text}, "outputs": {"translation": text}}
    return content, {
        "name": TEXT_FILE_NAME,
        "signatures": dict.fromkeys(TEXT_SIGNATURE_NAMES, signature),
        "custom_operators": list(TEXT_OPERATORS),
        "needs": "tensorflow-text",
    }


class TextSignatures:
    """`translate` and `translate_beam`: `text` (1) string to `translation` (1) string.

    Translations equal those of `LiteTranslator`, except that a text beyond the limit is truncated
    instead of being translated in parts, and that U+0085 alone, which Python calls blank, is a
    word.

    Args:
        signatures, model_bytes, length_bound: as in `text_file`.
    """

    def __init__(self, signatures, model_bytes, length_bound):
        import tensorflow_text

        description = tokenizer_description(model_bytes)
        _check_tokenizer(description)
        pieces = [piece for piece, *_ in description["pieces"]]
        self.signatures = signatures
        self.tokenizer = tensorflow_text.FastSentencepieceTokenizer(model_bytes)
        self.length_bound = length_bound
        self.max_length = signatures.stepper.max_length
        space = description["space_symbol"]
        self.space_id = pieces.index(space) if space in pieces else -1

    def translate(self, text):
        return self._decode(self.signatures.translate(**self._encode(text)))

    def translate_beam(self, text):
        return self._decode(self.signatures.translate_beam(**self._encode(text)))

    def _encode(self, text):
        special_ids = self.signatures.special_ids
        piece_ids = self.tokenizer.tokenize(text).values[: self.max_length - 1]
        number = tf.shape(piece_ids)[0]
        source_ids = tf.pad(
            tf.concat([piece_ids, [special_ids["end_id"]]], axis=0),
            [[0, self.max_length - 1 - number]],
            constant_values=special_ids["pad_id"],
        )
        source_length = number + 1
        bound = self.length_bound["factor"] * source_length + self.length_bound["offset"]
        # A text without pieces has an empty translation.
        bound = tf.where(number > 0, tf.minimum(bound, self.signatures.max_target_length), 0)
        return {
            "source_ids": tf.reshape(source_ids, (1, self.max_length)),
            "source_length": tf.reshape(source_length, (1,)),
            "max_length": tf.reshape(bound, (1,)),
        }

    def _decode(self, outputs):
        ids = outputs["token_ids"][0, : outputs["length"][0]]
        # SentencePiece strips all leading spaces, the operator only that of the first piece.
        others = tf.cumsum(tf.cast(ids != self.space_id, tf.int32))
        leading = tf.reduce_sum(tf.cast(tf.equal(others, 0), tf.int32))
        ids = ids[leading:]
        # A Python list would become int64, which the operator misreads as int32.
        row_splits = tf.stack([0, tf.shape(ids)[0]])
        ids = tf.RaggedTensor.from_row_splits(ids, row_splits, validate=False)
        return {"translation": self.tokenizer.detokenize(ids)}

    def write(self, directory):
        """Writes a SavedModel with both signatures, for the converter."""
        archive = keras.export.ExportArchive()
        for layer in self.signatures.stepper.layers:
            archive.track(layer)
        specification = [tf.TensorSpec((1,), tf.string, "text")]
        for name in TEXT_SIGNATURE_NAMES:
            archive.add_endpoint(name, getattr(self, name), input_signature=specification)
        archive.write_out(str(directory), verbose=False)


def _check_tokenizer(description):
    """Raises InputError for a tokenizer that tensorflow-text's operators do not support."""
    types = {kind for *_, kind in description["pieces"]}
    if description["model_type"] != "unigram":
        received = f"one of the type {description['model_type']}"
    elif not description["charsmap"]:
        received = "one without normalization"
    elif not description["remove_extra_whitespaces"]:
        received = "one that keeps extra spaces"
    elif unknown := types - {"normal", "unknown", "control"}:
        received = f"one with pieces of the type {min(unknown)}"
    else:
        return
    raise InputError(
        "Expected a SentencePiece model of the type unigram, with normalization of letters and "
        "spaces and with normal pieces only, for a LiteRT file from text to text. "
        f"Received: {received}"
    )
