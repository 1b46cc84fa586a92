"""`fingerprint.pb`, by which TensorFlow tells SavedModels apart."""

from pathlib import Path

from tensorflow.core.protobuf import fingerprint_pb2


def without_random_parts(directory: Path) -> None:
    """Replaces the random identifier of a SavedModel by its checksums, which follow from it.

    Args:
        directory: the SavedModel directory.
    """
    path = Path(directory, "fingerprint.pb")
    fingerprint = fingerprint_pb2.FingerprintDef.FromString(path.read_bytes())
    checksums = (
        fingerprint.saved_model_checksum,
        fingerprint.graph_def_program_hash,
        fingerprint.signature_def_hash,
        fingerprint.saved_object_graph_hash,
        fingerprint.checkpoint_hash,
    )
    fingerprint.uuid = "-".join(f"{checksum:016x}" for checksum in checksums)
    path.write_bytes(fingerprint.SerializeToString(deterministic=True))
