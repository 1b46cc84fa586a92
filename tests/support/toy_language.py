"""A tiny language in which every sequence can be listed, for the tests of the searches.

The next token's logits depend on the whole history through a state that a search must carry and
reorder, and on the sentence through a constant that it must not touch.
"""

import itertools

import numpy as np
from keras import ops

PAD, START, END = 0, 1, 2
IDS = {"pad_id": PAD, "start_id": START, "end_id": END}
HISTORIES = 97


class ToyLanguage:
    """Random logits for each sentence and history.

    Args:
        sentences: number of sentences.
        vocabulary_size: number of tokens, the three special ones included.
        seed: int.
        source_length: number of columns of the attention.
    """

    def __init__(self, sentences=1, vocabulary_size=5, seed=0, source_length=3):
        random = np.random.default_rng(seed)
        shape = (sentences, HISTORIES, vocabulary_size)
        self.logits = random.normal(scale=2.0, size=shape).astype("float32")
        self.memory = random.integers(0, 9, (sentences, source_length)).astype("float32")
        self.vocabulary_size = vocabulary_size

    def initial_states(self):
        """Returns nested states: the history's number and the count of tokens."""
        sentences = len(self.logits)
        return {
            "history": ops.zeros((sentences,), dtype="int32"),
            "counts": (ops.zeros((sentences, 1), dtype="float32"),),
        }

    def constants(self):
        """Returns what `step` needs to know of each sentence."""
        return constants_of(self.logits, self.memory)

    def search_with(self, search, **options):
        """Calls a search with this language's step function."""
        return search(toy_step, self.initial_states(), self.constants(), **(IDS | options))

    def token_log_probabilities(self, sentence, tokens):
        """Returns the log-probability of each token after those before it, in float64."""
        history, previous, values = 0, START, []
        for token in tokens:
            history = next_history(history, previous)
            logits = self.logits[sentence, history].astype("float64")
            values.append(logits[token] - np.log(np.exp(logits).sum()))
            previous = token
        return np.array(values)

    def attention(self, sentence, tokens):
        """Returns what `step` gives as attention at each of the tokens."""
        history, previous, rows = 0, START, []
        for token in tokens:
            history = next_history(history, previous)
            rows.append(self.memory[sentence] + 10 * previous + 100 * history)
            previous = token
        return np.array(rows)

    def hypotheses(self, sentence, max_length, min_length=0, suppressed_ids=()):
        """Lists every possible sequence as `(tokens, log_probability)`."""
        words = [
            token
            for token in range(self.vocabulary_size)
            if token != END and token not in suppressed_ids
        ]
        sequences = list(itertools.product(words, repeat=max_length))
        for length in range(min_length, max_length):
            sequences += [(*start, END) for start in itertools.product(words, repeat=length)]
        return [
            (tokens, self.token_log_probabilities(sentence, tokens).sum()) for tokens in sequences
        ]

    def n_best(self, n, length_penalty, *args, **kwargs):
        """Returns the `n` best of `hypotheses(...)` as `(tokens, log_probability, score)`."""
        scored = [
            (tokens, value, value / len(tokens) ** length_penalty)
            for tokens, value in self.hypotheses(*args, **kwargs)
        ]
        return sorted(scored, key=lambda each: -each[2])[:n]


def next_history(history, token):
    return (history * 31 + token + 7) % HISTORIES


def constants_of(logits, memory):
    """Returns what `toy_step` needs to know of each sentence, from arrays or a graph's tensors."""
    return {"logits": ops.convert_to_tensor(logits), "memory": ops.convert_to_tensor(memory)}


def toy_step(token_ids, states, constants):
    history = next_history(states["history"], token_ids)
    code = ops.cast(10 * token_ids + 100 * history, "float32")
    states = {"history": history, "counts": (states["counts"][0] + 1.0,)}
    logits = ops.take_along_axis(constants["logits"], history[:, None, None], axis=1)[:, 0]
    return logits, states, constants["memory"] + code[:, None]


def tokens_of(result, sentence, rank=0):
    """Returns a hypothesis as a tuple of tokens, without its padding."""
    length = int(result.lengths[sentence, rank])
    return tuple(ops.convert_to_numpy(result.token_ids)[sentence, rank, :length].tolist())


def arrays_of(result):
    """Returns the fields of a result as NumPy arrays (the absent ones left out)."""
    fields = result._asdict().items()
    return {name: ops.convert_to_numpy(value) for name, value in fields if value is not None}


def step_from_table(rows):
    """Returns a step without attention whose probabilities depend on the last token only.

    Args:
        rows: dictionary from a token to the list of the next token's probabilities.
    """
    size = len(next(iter(rows.values())))
    table = np.full((size, size), 1 / size, dtype="float32")
    for token, probabilities in rows.items():
        table[token] = probabilities
    with np.errstate(divide="ignore"):
        table = np.log(table)

    def step(token_ids, states, constants):
        return ops.take(ops.convert_to_tensor(table), token_ids, axis=0), states, None

    return step
