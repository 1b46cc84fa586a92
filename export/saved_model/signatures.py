"""The signatures of the SavedModel: serving_default, translate_n_best, score."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import tensorflow as tf

from keras_bahdanau.models import TranslationModel
from keras_bahdanau.text.tokenizer import END_ID, PAD_ID, SPECIAL_IDS, START_ID
from keras_bahdanau.translation.generate import generate, score

from .assets import SearchSettings
from .graph_tokenizer import GraphTokenizer
from .word_alignment import GraphWordAlignment


class TextTranslation:
    """`serving_default`, `translate_n_best` and `score` as functions of string tensors.

    Inputs and outputs by name (n is `n_best`; S, T tokens and V, W words of source and target):

        serving_default   text (batch_size,) string
                          -> translation (batch_size,) string, log_probability (batch_size,),
                             is_cut (batch_size,) bool
        translate_n_best  text (batch_size,) string
                          -> translation (batch_size, n), log_probability (batch_size, n),
                             is_cut (batch_size,), source_tokens (batch_size, S),
                             target_tokens (batch_size, n, T), attention (batch_size, n, T, S),
                             source_words (batch_size, V), target_words (batch_size, n, W),
                             word_attention (batch_size, n, W, V), word_alignment (batch_size, n)
        score             source, target (batch_size,) string
                          -> log_probability (batch_size,), is_cut (batch_size,),
                             target_length (batch_size,) int32

    A plain object, not a `tf.Module`: TensorFlow's C++ loader cannot run a SavedModel that tracks
    Keras layers (keras#19274).

    Args:
        model: the `TranslationModel`.
        tokenizer: the tokenizer of both languages.
        settings: search options and limits.
        banned_ids: ids of tokens that are never generated.
    """

    def __init__(
        self,
        model: TranslationModel,
        tokenizer: GraphTokenizer,
        settings: SearchSettings,
        banned_ids: Sequence[int] = (),
    ):
        self.model = model
        self.tokenizer = tokenizer
        self.settings = settings
        self.banned_ids = banned_ids
        self.word_alignment = GraphWordAlignment(tokenizer.vocabulary)

    def signatures(self) -> dict[str, Callable]:
        """Returns the functions, to be traced, by the names of their signatures."""
        text = tf.TensorSpec([None], tf.string, name="text")
        source = tf.TensorSpec([None], tf.string, name="source")
        target = tf.TensorSpec([None], tf.string, name="target")
        functions = {
            "serving_default": (self.translate, [text]),
            "translate_n_best": (self.translate_n_best, [text]),
            "score": (self.score, [source, target]),
        }
        return {
            name: tf.function(function, input_signature=signature, autograph=False)
            for name, (function, signature) in functions.items()
        }

    def translate(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """The best translation of each text, a blank one for a blank text.

        All outputs have shape `(batch_size,)`, so that a server can batch requests. `is_cut` is
        true for texts longer than the limit, of which only the beginning was translated.
        """
        source_ids, is_cut = self.tokenizer.encode(text, self.settings.max_length)
        token_ids, log_probabilities, _ = self._search(
            source_ids, n_best=1, return_attention_scores=False
        )
        return {
            "translation": tf.ensure_shape(self.tokenizer.decode(token_ids[:, 0]), [None]),
            "log_probability": tf.ensure_shape(log_probabilities[:, 0], [None]),
            "is_cut": tf.ensure_shape(is_cut, [None]),
        }

    def translate_n_best(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """The `n_best` best translations of each text, with tokens, words and attention.

        Tokens include the end token (except of a target that reached its limit); after it, tokens
        are empty strings and attention is zero. For the outputs on words see `GraphWordAlignment`.
        """
        n_best = self.settings.options.n_best
        source_ids, is_cut = self.tokenizer.encode(text, self.settings.max_length)
        token_ids, log_probabilities, attention = self._search(
            source_ids, n_best=n_best, return_attention_scores=True
        )
        attention = tf.cast(attention, tf.float32)
        attention = tf.where((token_ids == PAD_ID)[..., tf.newaxis], 0.0, attention)
        return {
            "translation": tf.ensure_shape(self.tokenizer.decode(token_ids), [None, n_best]),
            "log_probability": tf.ensure_shape(log_probabilities, [None, n_best]),
            "is_cut": tf.ensure_shape(is_cut, [None]),
            "source_tokens": tf.ensure_shape(self.tokenizer.pieces(source_ids), [None, None]),
            "target_tokens": tf.ensure_shape(
                self.tokenizer.pieces(token_ids), [None, n_best, None]
            ),
            "attention": tf.ensure_shape(attention, [None, n_best, None, None]),
            **self.word_alignment.outputs(source_ids, token_ids, attention),
        }

    def score(self, source: tf.Tensor, target: tf.Tensor) -> dict[str, tf.Tensor]:
        """The log-probability of each given translation, the end token included.

        Texts longer than the limit are truncated, then `is_cut` of the pair is true.
        `target_length` is the number of scored tokens.
        """
        tf.debugging.assert_equal(
            tf.shape(source), tf.shape(target), "Expected as many targets as sources."
        )
        source_ids, source_is_cut = self.tokenizer.encode(source, self.settings.max_length)
        target_ids, target_is_cut = self.tokenizer.encode(target, self.settings.max_target_length)
        start_ids = tf.fill([tf.shape(target_ids)[0], 1], START_ID)
        log_probabilities = score(
            [self.model],
            source_ids,
            tf.concat([start_ids, target_ids[:, :-1]], axis=1),
            target_ids,
            pad_id=PAD_ID,
        )
        return {
            "log_probability": tf.ensure_shape(log_probabilities, [None]),
            "is_cut": tf.ensure_shape(source_is_cut | target_is_cut, [None]),
            "target_length": tf.math.count_nonzero(target_ids != PAD_ID, axis=1, dtype=tf.int32),
        }

    def _search(self, source_ids, n_best, return_attention_scores):
        """Token ids `(batch_size, n, T)`, log-probabilities `(batch_size, n)` and attention."""
        options = replace(self.settings.options, n_best=n_best)
        result = generate(
            [self.model],
            source_ids,
            options,
            special_ids=SPECIAL_IDS,
            max_target_length=self.settings.max_target_length,
            length_penalty=options.length_penalty,
            banned_ids=self.banned_ids,
            return_attention_scores=return_attention_scores,
        )
        is_blank = (source_ids[:, 0] == END_ID)[:, tf.newaxis]
        return (
            tf.where(is_blank[..., tf.newaxis], PAD_ID, result.token_ids),
            tf.where(is_blank, 0.0, result.log_probabilities),
            result.attention_scores,
        )
