"""OpenNMT-py at the common shape: its encoder, its decoder with input feeding, its loss.

The step is the one of its `Trainer`, which is bound to its data sets on disk. Its `mlp` attention
is as wide as the decoder (512 where the common shape has 256); the library has no other choice.
"""

import os
import warnings

import timed_run
import torch
from token_batches import END_ID, PAD_ID, START_ID, UNKNOWN_ID, padded

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from onmt.constants import DefaultTokens
    from onmt.decoders import InputFeedRNNDecoder
    from onmt.encoders import RNNEncoder
    from onmt.models import NMTModel
    from onmt.modules import Embeddings
    from onmt.translate import GNMTGlobalScorer, Translator
    from onmt.utils.loss import LossCompute


class _Vocabulary:
    """As much of a vocabulary as a search asks for."""

    ids = {
        DefaultTokens.PAD: PAD_ID,
        DefaultTokens.UNK: UNKNOWN_ID,
        DefaultTokens.BOS: START_ID,
        DefaultTokens.EOS: END_ID,
    }

    def __init__(self, size):
        self.size = size

    def __len__(self):
        return self.size

    def lookup_token(self, token):
        return self.ids.get(token, UNKNOWN_ID)


class Trainer:
    """See `timed_run`."""

    def __init__(self, options):
        torch.manual_seed(1)
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        encoder_embeddings, decoder_embeddings = (
            Embeddings(timed_run.EMBEDDING_DIM, options.vocabulary_size, PAD_ID) for _ in range(2)
        )
        self.model = NMTModel(
            RNNEncoder("GRU", True, 1, 2 * timed_run.ENCODER_UNITS, 0.0, encoder_embeddings),
            InputFeedRNNDecoder(
                "GRU",
                True,
                1,
                timed_run.DECODER_UNITS,
                attn_type="mlp",
                dropout=0.0,
                embeddings=decoder_embeddings,
            ),
        )
        self.model.generator = torch.nn.Linear(timed_run.DECODER_UNITS, options.vocabulary_size)
        scale = timed_run.INITIALIZER_RANGE
        for weight in self.model.parameters():
            torch.nn.init.uniform_(weight, -scale, scale)
        criterion = torch.nn.CrossEntropyLoss(ignore_index=PAD_ID, reduction="sum")
        self.loss = LossCompute(criterion, self.model.generator)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=options.learning_rate)
        self.weights = sum(weight.numel() for weight in self.model.parameters())
        self.vocabulary = _Vocabulary(options.vocabulary_size)

    def train(self, batches, after_step):
        self.model.train()
        for sources, targets in batches:
            batch = {
                **_sources(sources),
                "tgt": torch.from_numpy(padded([[START_ID, *row] for row in targets], "int64"))[
                    :, :, None
                ],
            }
            self.optimizer.zero_grad(set_to_none=True)
            outputs, attentions = self.model(batch["src"], batch["tgt"], batch["srclen"])
            loss, _ = self.loss(batch, outputs, attentions)
            (loss / sum(map(len, targets))).backward()
            self.optimizer.step()
            self.model.decoder.detach_state()
            after_step()

    def translate(self, sources, beam_width=1, batch_size=64):
        self.model.eval()
        vocabularies = dict.fromkeys(("src", "tgt"), self.vocabulary)
        translator = Translator(
            self.model,
            {**vocabularies, "decoder_start_token": DefaultTokens.BOS},
            beam_size=beam_width,
            max_length=timed_run.LONGEST_TRANSLATION,
            max_length_ratio=0,
            global_scorer=GNMTGlobalScorer(1.0, 0.0, "avg", "none"),
        )
        found = [None] * len(sources)
        for indices in timed_run.sentences_sorted_by_length(sources, batch_size):
            # Its encoder packs sequences, the longest first.
            indices = indices[::-1]
            results = translator.translate_batch(_sources([sources[i] for i in indices]), False)
            for index, predictions in zip(indices, results["predictions"], strict=True):
                ids = predictions[0].tolist()
                found[index] = ids[: ids.index(END_ID)] if END_ID in ids else ids
        return found

    def save(self, directory):
        states = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(states, directory / "weights.pt")

    def load(self, directory):
        states = torch.load(directory / "weights.pt", weights_only=True)
        # The model's own method takes checkpoints of OpenNMT-py's form only.
        torch.nn.Module.load_state_dict(self.model, states["model"])
        self.optimizer.load_state_dict(states["optimizer"])


def _sources(sources):
    return {
        "src": torch.from_numpy(padded(sources, "int64"))[:, :, None],
        "srclen": torch.tensor([len(source) for source in sources]),
    }


if __name__ == "__main__":
    timed_run.main(Trainer, ("OpenNMT-py", "torch"))
