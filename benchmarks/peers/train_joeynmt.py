"""JoeyNMT at the common shape: its model, its loss, its batches and its greedy search.

The step is the one of its `TrainManager._train_step`, which is bound to a configuration file and
a data set on disk. Its additive attention is as wide as the decoder by default; here it has the
common width. All matrices start uniform in [-0.1, 0.1].
"""

import os
from types import SimpleNamespace

import timed_run
import torch
from joeynmt.attention import BahdanauAttention
from joeynmt.batch import Batch
from joeynmt.initialization import initialize_model
from joeynmt.model import build_model
from joeynmt.search import search
from joeynmt.vocabulary import Vocabulary
from token_batches import END_ID, PAD_ID, START_ID, UNKNOWN_ID, padded

BATCH_SIZE = 64
_SPECIAL_SYMBOLS = SimpleNamespace(
    pad_id=PAD_ID,
    pad_token="<pad>",
    unk_id=UNKNOWN_ID,
    unk_token="<unk>",
    bos_id=START_ID,
    bos_token="<s>",
    eos_id=END_ID,
    eos_token="</s>",
    sep_id=None,
    sep_token=None,
    lang_tags=[],
)


class _Vocabulary(Vocabulary):
    """JoeyNMT's, whose special symbols otherwise come in an order of its own."""

    def add_tokens(self, tokens):
        ordered = ["<pad>", "<unk>", "<s>", "</s>"]
        super().add_tokens(ordered + [token for token in tokens if token not in ordered])


class Trainer:
    """See `timed_run`."""

    def __init__(self, options):
        torch.manual_seed(1)
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        pieces = [str(token_id) for token_id in range(END_ID + 1, options.vocabulary_size)]
        vocabulary = _Vocabulary(pieces, _SPECIAL_SYMBOLS)
        configuration = _configuration(options.dropout)
        self.model = build_model(configuration, vocabulary, vocabulary)
        self.model.decoder.attention = BahdanauAttention(
            hidden_size=timed_run.ATTENTION_UNITS,
            key_size=self.model.encoder.output_size,
            query_size=timed_run.DECODER_UNITS,
        )
        initialize_model(self.model, configuration, PAD_ID, PAD_ID)
        self.model.loss_function = ("crossentropy", 0.0)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=options.learning_rate)
        self.weights = sum(weight.numel() for weight in self.model.parameters())

    def train(self, batches, after_step):
        for sources, targets in batches:
            self.model.train()
            batch = _batch(sources, targets)
            batch.sort_by_src_length()
            loss, _, _, correct = self.model(return_type="loss", **vars(batch))
            loss = batch.normalize(loss, normalization="tokens")
            loss.backward()
            # JoeyNMT reads both after each step, for its log.
            loss.item(), correct.item()
            self.optimizer.step()
            self.model.zero_grad()
            after_step()

    def translate(self, sources, beam_width=1, batch_size=BATCH_SIZE):
        self.model.eval()
        found = [None] * len(sources)
        for indices in timed_run.sentences_sorted_by_length(sources, batch_size):
            batch = _batch([sources[index] for index in indices])
            restore = batch.sort_by_src_length()
            with torch.no_grad():
                outputs, _, _ = search(
                    self.model,
                    batch,
                    timed_run.LONGEST_TRANSLATION,
                    beam_size=beam_width,
                    beam_alpha=-1 if beam_width == 1 else 1,
                )
            for index, row in zip(indices, restore, strict=True):
                ids = outputs[row].tolist()
                found[index] = ids[: ids.index(END_ID)] if END_ID in ids else ids
        return found

    def save(self, directory):
        states = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(states, directory / "weights.pt")

    def load(self, directory):
        states = torch.load(directory / "weights.pt", weights_only=True)
        self.model.load_state_dict(states["model"])
        self.optimizer.load_state_dict(states["optimizer"])


def _configuration(dropout):
    embeddings = {"embedding_dim": timed_run.EMBEDDING_DIM, "dropout": dropout}
    recurrent = {"type": "recurrent", "rnn_type": "gru", "num_layers": 1, "dropout": dropout}
    scale = timed_run.INITIALIZER_RANGE
    return {
        "initializer": "uniform",
        "init_weight": scale,
        "embed_initializer": "uniform",
        "embed_init_weight": scale,
        "encoder": {
            **recurrent,
            "embeddings": embeddings,
            "hidden_size": timed_run.ENCODER_UNITS,
            "bidirectional": True,
        },
        "decoder": {
            **recurrent,
            "embeddings": embeddings,
            "hidden_size": timed_run.DECODER_UNITS,
            "hidden_dropout": dropout,
            "attention": "bahdanau",
            "init_hidden": "bridge",
            "input_feeding": True,
        },
    }


def _batch(sources, targets=None):
    return Batch(
        src=torch.from_numpy(padded(sources, "int64")),
        src_length=torch.tensor([len(source) for source in sources]),
        src_prompt_mask=None,
        trg=targets and torch.from_numpy(padded([[START_ID, *row] for row in targets], "int64")),
        trg_prompt_mask=None,
        indices=torch.arange(len(sources)),
        device=torch.device("cpu"),
        pad_index=PAD_ID,
        eos_index=END_ID,
        is_train=targets is not None,
    )


if __name__ == "__main__":
    timed_run.main(Trainer, ("joeynmt", "torch"))
