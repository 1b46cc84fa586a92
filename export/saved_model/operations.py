"""Allow-list of the operations in a SavedModel, by version of TensorFlow Serving.

TensorFlow Serving runs only operations that are compiled into it: no Python function, no cuDNN
kernel, no operation of another library. The list is short on purpose. It is checked after every
export and before a SavedModel is loaded, so that a directory from elsewhere can neither run code
nor access files.
"""

from pathlib import Path

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from keras_bahdanau.errors import InputError

_COMPUTATION = """
    AddV2 All Any ArgMax AsString Assert BatchMatMulV2 BiasAdd BroadcastTo Cast ConcatV2 Const
    Cumprod Cumsum EnsureShape Equal Exp ExpandDims Fill FloorDiv FloorMod GatherV2 Greater
    GreaterEqual Identity IdentityN If IsFinite Less LessEqual Log LogicalAnd LogicalNot LogicalOr
    MatMul Max Maximum Mean Minimum Mul Neg NotEqual Pack Pad Pow Prod RaggedTensorToTensor Range
    RealDiv ReduceJoin Reshape ReverseV2 Rsqrt Select SelectV2 Shape Sigmoid Softmax Split SplitV
    Squeeze StatelessIf StopGradient StridedSlice StringStrip Sub Sum Tanh TensorListFromTensor
    TensorListGetItem TensorListReserve TensorListSetItem TensorListStack TensorScatterUpdate Tile
    TopKV2 Transpose Unpack UnsortedSegmentJoin Where While ZerosLike
"""
_CALLS_AND_VARIABLES = """
    AssignVariableOp DisableCopyOnRead MergeV2Checkpoints NoOp PartitionedCall Placeholder
    ReadVariableOp RestoreV2 SaveV2 ShardedFilename StatefulPartitionedCall StaticRegexFullMatch
    StringJoin VarHandleOp
"""
# Of tensorflow-text, compiled into TensorFlow Serving since 2.15.
_TEXT = "SentencepieceDetokenizeOp SentencepieceOp SentencepieceTokenizeOp"

# Since 2.20; before, TensorFlow Serving had tensorflow-text 2.12.
_TEXT_2_20 = "TFText>RoundRobinTrim TFText>Utf8Binarize"

_SINCE_2_15 = frozenset(f"{_COMPUTATION} {_CALLS_AND_VARIABLES} {_TEXT}".split())
# Allowed operations by the oldest server that must run the export.
SERVING_VERSIONS = {"2.15": _SINCE_2_15, "2.20": _SINCE_2_15 | frozenset(_TEXT_2_20.split())}
OLDEST_SERVER, NEWEST_SERVER = "2.15", "2.20"


def read_saved_model(directory: Path) -> saved_model_pb2.SavedModel:
    """Reads the graph of a SavedModel directory.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    path = Path(directory, "saved_model.pb")
    try:
        return saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"Expected a SavedModel directory, found no {path}") from None
    except DecodeError:
        raise InputError(f"Expected a SavedModel, but {path} cannot be read as one") from None


def check_operations(directory: Path, serving_version: str = NEWEST_SERVER) -> None:
    """Checks that TensorFlow Serving has every operation of a SavedModel.

    Args:
        directory: the SavedModel directory.
        serving_version: the oldest version of the server, one of `SERVING_VERSIONS`.

    Raises:
        InputError: the version is unknown, an operation is not allowed, or a function demands XLA
            compilation, which servers refuse by default.
    """
    check_serving_version(serving_version)
    allowed, foreign = SERVING_VERSIONS[serving_version], set()
    for meta_graph in read_saved_model(directory).meta_graphs:
        foreign |= _foreign(meta_graph.graph_def.node, allowed, "the main graph")
        for function in meta_graph.graph_def.library.function:
            name = function.signature.name
            foreign |= _foreign(function.node_def, allowed, f"the function {name}")
            if function.attr["_XlaMustCompile"].b:
                foreign.add(f"jit_compile=True in the function {name}")
    if foreign:
        raise InputError(
            f"Expected only operations that TensorFlow Serving {serving_version} has, received "
            f"{'; '.join(sorted(foreign))}. Where: {directory}"
        )


def check_serving_version(serving_version: str) -> None:
    """Raises InputError unless the version is one of `SERVING_VERSIONS`."""
    if serving_version not in SERVING_VERSIONS:
        raise InputError(
            f"Expected a serving_version among {', '.join(SERVING_VERSIONS)}. "
            f"Received: {serving_version}"
        )


def _foreign(nodes, allowed: frozenset[str], place: str) -> set[str]:
    return {f"{node.op} in {place}" for node in nodes if node.op not in allowed}
