"""Attention between words, drawn as heat maps (PNG) and interactive pages (HTML)."""

from keras_bahdanau.alignments.alignment import Alignment as Alignment
from keras_bahdanau.alignments.heat_map import write_heat_map as write_heat_map
from keras_bahdanau.alignments.words import merge_pieces as merge_pieces
from keras_bahdanau.alignments.words import word_attention as word_attention
from keras_bahdanau.alignments.writing import check_alignments_path as check_alignments_path
from keras_bahdanau.alignments.writing import write_alignments as write_alignments
from keras_bahdanau.alignments.writing import write_page as write_page
