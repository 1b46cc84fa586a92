"""Small models, and searches of theirs that give arrays."""

import keras
import numpy as np
from attention_oracle import arrays_of
from on_backend import compiled

from keras_bahdanau.models import TranslationModel
from keras_bahdanau.translation.generate import generate, score
from keras_bahdanau.translation.search_options import SearchOptions

PAD, UNKNOWN, START, END = range(4)
SPECIAL_IDS = {"pad_id": PAD, "unknown_id": UNKNOWN, "start_id": START, "end_id": END}
# Of lengths 6, 3, 1 and 0: the last one is padding alone.
SOURCE_IDS = np.array(
    [[7, 5, 9, 4, 8, 3], [6, 11, 3, 0, 0, 0], [3, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]], dtype="int32"
)
MAX_TARGET_LENGTH = 13
MODELS = [
    {},
    {"cell": "lstm", "num_layers": 2, "order": "after"},
    {"order": "between", "tie_embeddings": "all"},
]


def searched_model(**arguments):
    """A model of twelve tokens with random weights."""
    # Large weights, so that different sources have different translations, some of them short.
    keras.utils.set_random_seed(8)
    return TranslationModel(
        12,
        embedding_dim=6,
        encoder_units=5,
        decoder_units=7,
        attention_units=4,
        initializer_range=1.2,
        **arguments,
    )


def search(model, source_ids=SOURCE_IDS, **options):
    """`generate` with options of a search and other arguments."""
    models = model if isinstance(model, list) else [model]
    others = {"max_target_length": MAX_TARGET_LENGTH}
    for name in ("max_target_length", "length_penalty", "prefix_ids", "noise", "banned_ids"):
        if name in options:
            others[name] = options.pop(name)
    options = SearchOptions(**{"beam_width": 3, "n_best": 3, **options})

    def run(source_ids):
        return generate(models, source_ids, options, special_ids=SPECIAL_IDS, **others)

    # Step by step JAX would compile every operation, for every shape.
    run = compiled(run) if keras.backend.backend() == "jax" else run
    return arrays_of(run(keras.ops.convert_to_tensor(source_ids)))


def log_softmax(logits):
    logits = logits.astype("float64")
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def check_scores(models, result):
    """What a search says of its tokens is what scoring says."""
    count = result.lengths.shape[1]
    target_out_ids = result.token_ids.reshape(4 * count, -1)[: 3 * count]
    target_in_ids = np.pad(target_out_ids[:, :-1], [(0, 0), (1, 0)], constant_values=START)
    source_ids = np.repeat(SOURCE_IDS[:3], count, axis=0)
    scored = arrays_of(score(models, source_ids, target_in_ids, target_out_ids, pad_id=PAD))
    found = result.log_probabilities[:3].ravel()
    possible = found > -1e8
    assert possible.sum() > count
    np.testing.assert_allclose(found[possible], scored[possible], atol=1e-4)
