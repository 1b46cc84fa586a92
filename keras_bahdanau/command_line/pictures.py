"""From a translation to what the alignment pictures show."""

from keras_bahdanau.alignments import Alignment, word_attention


def alignment_of(translation) -> Alignment:
    """The word alignment of a `Translation` that has attention weights."""
    words = word_attention(
        translation.attention, translation.source_pieces, translation.target_pieces
    )
    return Alignment(*words, score=translation.log_probability)
