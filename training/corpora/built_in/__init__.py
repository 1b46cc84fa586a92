"""The built-in corpus: English sentences and their Spanish translations, written by a grammar.

`aligned_pair` and `phrase` say what a pair and a phrase in both languages are; the tables and
the forms of words are in `noun_table`, `nouns`, `adjectives`, `verbs`, `conjugation` and
`numbers`; `noun_phrases`, `verb_groups` and `clauses` are the grammar; the modules imported by
`corpus` write sentences with it.
"""

from .aligned_pair import AlignedPair as AlignedPair
from .aligned_pair import words as words
from .corpus import built_in_corpus as built_in_corpus
