"""Encoder and decoder as one model that is trained by teacher forcing."""

import keras

from keras_bahdanau.layers.arguments import check_choice
from keras_bahdanau.models.decoder import Decoder, without_attention_normalization
from keras_bahdanau.models.encoder import Encoder

ATTENTIONS, TIES = ("additive", "none"), ("none", "target", "all")


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class TranslationModel(keras.Model):
    """The translation model of Bahdanau et al. (2015), a functional model.

    Its parts can be used alone: `model.encoder` (see `Encoder`) and `model.decoder` (see
    `Decoder`).

    Args:
        vocabulary_size: positive integer, the size of the joint vocabulary of both languages.
        embedding_dim: width of the source and the target embedding.
        encoder_units: width of the encoder's state in each direction.
        decoder_units: width of the decoder's state.
        attention_units: width of the attention's projections.
        readout_units: width of the deep output; `None` for `embedding_dim`.
        num_layers: number of recurrent layers in the encoder and in the decoder.
        cell: `"gru"` or `"lstm"`.
        order: `"before"` (the paper's), `"after"` or `"between"` (the conditional GRU): see
            `AttentionCell`.
        attention: `"additive"`; or `"none"` for a memory of one vector, the encoder's last state
            (`memory="summary"` of `Encoder`), with all else unchanged, the number of weights too.
        tie_embeddings: which matrices of `(vocabulary_size, embedding_dim)` are shared: `"none"`,
            `"target"` for the target embedding and the output matrix, `"all"` for the source
            embedding too (Press and Wolf 2017, https://arxiv.org/abs/1608.05859).
        dropout: rate on embeddings, between layers, on the memory and on the deep output.
        recurrent_dropout: rate on the recurrent connections.
        attention_dropout: rate at which whole memory positions are dropped, the same at all steps
            of a target.
        initializer_range: weights start uniform in [-initializer_range, initializer_range].
        pad_id: the id of padding.
        skip_padding: whether training skips padding: see `Encoder` and `Decoder`.

    Inputs:
        dict of `source_ids`, integer tensor of shape `(batch_size, source_length)`, and
        `target_in_ids`, integer tensor of shape `(batch_size, target_length)`: the target shifted
        right, first the start token.

    Outputs:
        logits: float32 tensor of shape `(batch_size, target_length, vocabulary_size)`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    >>> model = TranslationModel(vocabulary_size=8000)
    >>> source_ids = np.array([[5, 6, 7, 3]])
    >>> target_in_ids = np.array([[2, 8, 9]])
    >>> model({"source_ids": source_ids, "target_in_ids": target_in_ids}).shape
    (1, 3, 8000)

    Reference: https://arxiv.org/abs/1409.0473
    """

    def __init__(
        self,
        vocabulary_size,
        embedding_dim=256,
        encoder_units=256,
        decoder_units=512,
        attention_units=256,
        readout_units=None,
        num_layers=1,
        cell="gru",
        order="before",
        attention="additive",
        tie_embeddings="target",
        dropout=0.0,
        recurrent_dropout=0.0,
        attention_dropout=0.0,
        initializer_range=0.1,
        pad_id=0,
        skip_padding=False,
        **kwargs,
    ):
        check_choice("attention", attention, ATTENTIONS)
        check_choice("tie_embeddings", tie_embeddings, TIES)
        decoder = Decoder(
            vocabulary_size,
            memory_dim=2 * encoder_units,
            embedding_dim=embedding_dim,
            units=decoder_units,
            attention_units=attention_units,
            readout_units=readout_units,
            num_layers=num_layers,
            cell=cell,
            order=order,
            tie_embeddings="none" if tie_embeddings == "none" else "target",
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            attention_dropout=attention_dropout,
            initializer_range=initializer_range,
            skip_padding=skip_padding,
            name="decoder",
        )
        encoder = Encoder(
            vocabulary_size,
            embedding_dim=embedding_dim,
            units=encoder_units,
            num_layers=num_layers,
            cell=cell,
            memory="annotations" if attention == "additive" else "summary",
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            initializer_range=initializer_range,
            pad_id=pad_id,
            skip_padding=skip_padding,
            embedding=decoder.get_layer("target_embedding") if tie_embeddings == "all" else None,
            name="encoder",
        )
        source_ids = keras.Input((None,), dtype="int32", name="source_ids")
        target_in_ids = keras.Input((None,), dtype="int32", name="target_in_ids")
        encoded = encoder(source_ids)
        start = decoder.start(encoded["memory"], encoded["encoder_state"])
        decoded = decoder(
            {
                "target_in_ids": target_in_ids,
                "memory": encoded["memory"],
                "memory_mask": encoded["memory_mask"],
                **start,
            }
        )
        super().__init__(
            inputs={"source_ids": source_ids, "target_in_ids": target_in_ids},
            outputs=decoded["logits"],
            **kwargs,
        )
        self.encoder = encoder
        self.decoder = decoder
        self.attention = attention
        self.tie_embeddings = tie_embeddings

    def get_config(self):
        encoder, decoder = self.encoder, self.decoder
        return {
            "name": self.name,
            "trainable": self.trainable,
            "vocabulary_size": encoder.vocabulary_size,
            "embedding_dim": encoder.embedding_dim,
            "encoder_units": encoder.units,
            "decoder_units": decoder.units,
            "attention_units": decoder.attention_units,
            "readout_units": decoder.readout_units,
            "num_layers": encoder.num_layers,
            "cell": encoder.cell,
            "order": decoder.order,
            "attention": self.attention,
            "tie_embeddings": self.tie_embeddings,
            "dropout": encoder.dropout,
            "recurrent_dropout": encoder.recurrent_dropout,
            "attention_dropout": decoder.attention_dropout,
            "initializer_range": encoder.initializer_range,
            "pad_id": encoder.pad_id,
            "skip_padding": encoder.skip_padding,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**without_attention_normalization(config))
