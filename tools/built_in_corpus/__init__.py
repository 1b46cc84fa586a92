"""The grammar that generates the built-in corpus: English sentences and their Spanish translations.

`phrase` defines a phrase in both languages with its word alignment. The lexicon and the inflection
are in `noun_table`, `nouns`, `adjectives`, `verbs`, `conjugation` and `numbers`; the grammar is in
`noun_phrases`, `verb_groups` and `clauses`. The modules that `generation` imports write sentences
with it.
"""
