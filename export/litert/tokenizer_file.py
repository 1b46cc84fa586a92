"""The tokenizer for runtimes without SentencePiece: `tokenizer.json` and its test vectors."""

import base64
import json
from pathlib import Path

import sentencepiece
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

TOKENIZER_FILE_NAME, VECTORS_FILE_NAME = "tokenizer.json", "tokenizer_vectors.jsonl"
FORMAT, FORMAT_VERSION = "keras-bahdanau-tokenizer", 1
_PIECE_TYPES = {1: "normal", 2: "unknown", 3: "control", 4: "user_defined", 5: "unused", 6: "byte"}
_MODEL_TYPES = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
# SentencePiece's default for unknown ids in decoded text.
UNKNOWN_SURFACE = " \u2047 "


def tokenizer_description(model_bytes):
    """The content of `tokenizer.json`: vocabulary and rules of a SentencePiece tokenizer.

    `examples/tokenizer/README.md` describes the algorithm that a port needs.

    Args:
        model_bytes: content of a SentencePiece model file.

    Returns:
        dict for JSON: `model_type` ("other" where the model has a setting that the dict cannot
        express, so that ports refuse it), `normalizer` (SentencePiece's name of the normalization
        rules), the treatment of spaces, `charsmap` (the compiled rules in Base64, empty where
        there are none), and `pieces`, one `[piece, score, type]` for each id.
    """
    model = read_sentencepiece_model(model_bytes)
    normalizer, trainer = model.normalizer_spec, model.trainer_spec
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "model_type": _MODEL_TYPES[trainer.model_type] if _is_described(model) else "other",
        "normalizer": normalizer.name,
        "add_dummy_prefix": normalizer.add_dummy_prefix,
        "remove_extra_whitespaces": normalizer.remove_extra_whitespaces,
        "escape_whitespaces": normalizer.escape_whitespaces,
        "space_symbol": "\u2581",
        "byte_fallback": trainer.byte_fallback,
        "charsmap": base64.b64encode(normalizer.precompiled_charsmap).decode("ascii"),
        "pieces": [[piece.piece, piece.score, _PIECE_TYPES[piece.type]] for piece in model.pieces],
    }


def _is_described(model):
    trainer = model.trainer_spec
    return (
        trainer.unk_surface == UNKNOWN_SURFACE
        and not trainer.treat_whitespace_as_suffix
        and not model.denormalizer_spec.precompiled_charsmap
    )


def read_sentencepiece_model(model_bytes):
    """Parses a SentencePiece model file: the fields of `ModelProto` that this package needs."""
    return _model_class().FromString(model_bytes)


_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "keras_bahdanau.sentencepiece"
# The fields that are read, with their numbers and defaults, of
# https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto
# Enumerations are read as their numbers.
_MESSAGES = {
    "Piece": [
        ("piece", 1, _Field.TYPE_STRING, ""),
        ("score", 2, _Field.TYPE_FLOAT, "0"),
        ("type", 3, _Field.TYPE_INT32, "1"),
    ],
    "Trainer": [
        ("model_type", 3, _Field.TYPE_INT32, "1"),
        ("treat_whitespace_as_suffix", 24, _Field.TYPE_BOOL, "false"),
        ("byte_fallback", 35, _Field.TYPE_BOOL, "false"),
        ("unk_surface", 44, _Field.TYPE_STRING, UNKNOWN_SURFACE),
    ],
    "Normalizer": [
        ("name", 1, _Field.TYPE_STRING, ""),
        ("precompiled_charsmap", 2, _Field.TYPE_BYTES, ""),
        ("add_dummy_prefix", 3, _Field.TYPE_BOOL, "true"),
        ("remove_extra_whitespaces", 4, _Field.TYPE_BOOL, "true"),
        ("escape_whitespaces", 5, _Field.TYPE_BOOL, "true"),
    ],
}
_PARTS = [
    ("pieces", 1, "Piece", _Field.LABEL_REPEATED),
    ("trainer_spec", 2, "Trainer", _Field.LABEL_OPTIONAL),
    ("normalizer_spec", 3, "Normalizer", _Field.LABEL_OPTIONAL),
    ("denormalizer_spec", 5, "Normalizer", _Field.LABEL_OPTIONAL),
]


def _model_class():
    file = descriptor_pb2.FileDescriptorProto(
        name="keras_bahdanau_sentencepiece.proto", package=_PACKAGE, syntax="proto2"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, default in fields:
            message.field.add(
                name=field,
                number=number,
                type=kind,
                default_value=default,
                label=_Field.LABEL_OPTIONAL,
            )
    model = file.message_type.add(name="Model")
    for field, number, name, label in _PARTS:
        model.field.add(
            name=field,
            number=number,
            type=_Field.TYPE_MESSAGE,
            type_name=f".{_PACKAGE}.{name}",
            label=label,
        )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Model"))


def write_vectors(path, model_bytes):
    """Writes test vectors that a port of the tokenizer must reproduce.

    Each line is a JSON object in ASCII: `text`, `normalized`, `pieces` (the characters of unknown
    ones), `ids` and `decoded`, the text of those ids. After `VECTOR_TEXTS` come texts made of the
    model's own pieces, which have many possible segmentations.

    Args:
        path: path of the file.
        model_bytes: content of a SentencePiece model file.
    """
    processor = sentencepiece.SentencePieceProcessor(model_proto=model_bytes)
    texts = [text for group in VECTOR_TEXTS.values() for text in group]
    texts += _texts_of_pieces(processor)
    lines = [json.dumps(vector(processor, text)) for text in texts]
    Path(path).write_text("".join(line + "\n" for line in lines), encoding="ascii")


def vector(processor, text):
    """One test vector: what SentencePiece computes for a text."""
    ids = processor.EncodeAsIds(text)
    return {
        "text": text,
        "normalized": processor.Normalize(text),
        "pieces": processor.EncodeAsPieces(text),
        "ids": ids,
        "decoded": processor.DecodeIds(ids),
    }


def _texts_of_pieces(processor):
    pieces = [
        processor.IdToPiece(i).replace("\u2581", " ")
        for i in range(processor.GetPieceSize())
        if not processor.IsControl(i) and not processor.IsUnknown(i)
    ]
    bare = [piece.strip() for piece in pieces]
    step = max(1, len(pieces) // 20)
    texts = [
        "".join(group[start::step]) for group in (pieces, bare) for start in range(min(step, 12))
    ]
    longest = sorted(bare, key=lambda piece: (-len(piece), piece))[:8]
    return texts + longest + [piece[:-1] + piece[1:] for piece in longest]


# Escapes, because many of these characters are invisible or change how their neighbours are drawn.
VECTOR_TEXTS = {
    "plain": ("", "a", "A dog runs.", "The old house has 3 small windows!", "x=1;y=[2,3]|{z}~"),
    "spaces": (
        " ",
        "   two  spaces   here ",
        "tab\tline\nreturn\r\nfeed\x0cend",
        "no-break\u00a0narrow\u202fen\u2002em\u2003hair\u200aideographic\u3000ogham\u1680",
        "line\u2028paragraph\u2029next\u0085end",
        "\u00a0",
        "\u3000\u2003 leading",
    ),
    "space symbol": ("\u2581", "\u2581a\u2581b\u2581", "a \u2581 b", "a\u2581\u2581 ", "_ \u2582"),
    "Latin": (
        "caf\u00e9 cafe\u0301 na\u00efve Stra\u00dfe",
        "\u0141\u00f3d\u017a \u00c6r\u00f8 \u0130stanbul",
        "Vi\u1ec7t Nam Vie\u0323\u0302t Nam Vi\u00ea\u0323t Nam",
        "a\u0300\u0301\u0302\u0303\u0304\u0305 \u0301lone",
        "\u212bngstr\u00f6m \u2126 \u212a",
        "\u017fi\u1e9b\u0323 d\u017e \u01c6 \u0149",
    ),
    "Greek": (
        "\u039a\u03b1\u03bb\u03b7\u03bc\u03ad\u03c1\u03b1",
        "\u1f08\u03b8\u1fc6\u03bd\u03b1\u03b9 \u1fb3 \u03c2",
    ),
    "Cyrillic": (
        "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!",
        "\u0401\u043b\u043a\u0430 \u0435\u0308",
        "\u0457\u0436\u0430\u043a \u0438\u0306 \u0439 \u0472",
    ),
    "Arabic": (
        "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645",
        "\u0643\u0650\u062a\u064e\u0627\u0628\u064c",
        "\u0640\u0640\u0640 \u0661\u0662\u0663\u060c \u061f",
        "\ufefb \ufdfa \ufdf2 \ufe8d\ufee0\ufea4",
    ),
    "Hebrew": ("\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd \ufb2a \ufb1d \u05f3",),
    "Devanagari": (
        "\u0928\u092e\u0938\u094d\u0924\u0947 \u0958 \u0915\u093c \u0967\u0968\u0969 \u0964",
    ),
    "Thai": (
        "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01",
        "\u0e33 \u0e19\u0e49\u0e33",
    ),
    "other scripts": (
        "\u0baa\u0bca \u0b95\u0bcb \u1019\u103c \u1780\u17d2\u179a \u0f42\u0f62\u0fb1",
        "\u10e1\u10d0 \u0531\u0587 \u1260 \u13a0 \u1820 \U00010330",
    ),
    "Chinese": (
        "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u7e41\u9ad4\u5b57\u3001\u7b80\u4f53",
        "\uf900\uf9d0 \u2f00 \u2ec3 \U00020000 \U0002f800",
        "\u3220 \u32c0 \u3358 \u33a5 \u2460\u2462",
    ),
    "Japanese": (
        "\u3053\u3093\u306b\u3061\u306f\u3001\u30ab\u30bf\u30ab\u30ca\u30fc\u30fb",
        "\uff76\uff9e\uff77\uff9f\uff71\uff70\uff65\uff61 \uff8a\uff9f",
        "\u304b\u3099 \u304c \u30cf\u309a \u309b \u309c \u30ff \u337f \u32ff",
    ),
    "Korean": (
        "\uc548\ub155\ud558\uc138\uc694",
        "\u1112\u1161\u11ab\u1100\u1173\u11af \u1112\u1161 \u11a8",
        "\u3131\u314f\u3163 \uffa1\uffc2 \u3200",
    ),
    "emoji": (
        "\U0001f600\U0001f602 smile",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 family",
        "\U0001f44d\U0001f3fd\U0001f44d\U0001f3ff \u270c\ufe0f \u2764\ufe0e",
        "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7 \U0001f3f4\U000e0067\U000e0062\U000e007f",
        "1\ufe0f\u20e3 #\u20e3 \u00a9\ufe0f \u2122",
    ),
    "compatibility": (
        "\ufb01 \ufb03 \ufb06 \u0133 \u1e9e",
        "\uff21\uff42\uff11\uff01\uff5e\uffe5\uffe0",
        "x\u00b2 m\u00b3 H\u2082O \u2075 \u2160\u217b \u00bd \u2153 1\u2044 2",
        "\U0001d400\U0001d41b \U0001d7d8 \u2102 \u24b6 \U0001f130",
        "\u2026 \u2025 \u2011 \u2033 \u00a8 \u00b4 \u00b8 \u203c \u2047 \u2048",
        "\u00aa \u00ba \u00b5 \u00b7 \u0387 \u037e \u1fef \u02dc",
    ),
    "quotes and dashes": (
        "\u201ea\u201c \u00abb\u00bb \u2018c\u2019 \u2013 \u2014 \u2212 \u2022 \u20ac \u00a3",
    ),
    "control": (
        "a\x00b",
        "\x00",
        "a\x01\x02\x1f\x7f\x80\x9fb",
        "\x01 \x02",
        "\x1b[31mred\x1b[0m",
    ),
    "invisible": (
        "zero\u200bwidth\u200cnon\u200djoiner\u2060end",
        "\ufeffmark in\ufeffside",
        "soft\u00adhyphen \u034f \u061c \u180e \u115f \u3164",
        "left\u200eright\u200f\u202aembed\u202c\u2066isolate\u2069",
        "\ufe0f\ufe00\U000e0100",
    ),
    "other code points": (
        "\ue000\uf8ff\U000f0000\U0010fffd private",
        "\u0378\u0530\U000323b0 unassigned",
        "\ufffe\uffff\ufdd0\U0001fffe\U0010ffff last",
        "\ufffd replacement \ufffc\ufff9",
        "\u07ff\u0800\uffff\U00010000 lengths",
    ),
    "like special pieces": ("<s> </s> <unk> <pad>", "<unk>", "<0x41>", " \u2047 "),
    "long": (
        "Donaudampfschifffahrtsgesellschaftskapit\u00e4n" * 5,
        "a" * 500,
        "\u4e2d" * 200,
        "\U0001f600" * 100,
        "e\u0301" * 100,
        "a " * 200,
        "ab\u0378" * 60,
    ),
    "web": (
        "https://example.org/a?b=c&d=%20#e someone@example.org @name #tag",
        '<p class="x">it\'s</p> &amp; \\n \\u0041 C:\\dir',
    ),
}
