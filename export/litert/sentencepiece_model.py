"""SentencePiece's model file, read by whatever version of Protocol Buffers is installed.

SentencePiece's own `sentencepiece_model_pb2` refuses to be imported beside a `protobuf` that is
older than its generator, and other packages may hold that back (Apache Beam does).
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "keras_bahdanau.sentencepiece"
# What an unknown id is in decoded text, unless a model says otherwise.
UNKNOWN_SURFACE = " \u2047 "
# The fields that are read here, with their numbers and defaults, of
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


def read_sentencepiece_model(model_bytes):
    """The message `ModelProto` of a model file, with the fields that this package needs."""
    return _model_class().FromString(model_bytes)


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
