"""Training runs with validation BLEU over time, for `time_to_quality.py`."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import sacrebleu
from peers import peer_programs
from text_files import BATCHES_FILE, TEXTS, TOKENIZER_FILE

from keras_bahdanau.text.tokenizer import Tokenizer

COMMAND_PROGRAM = "quality_keras_bahdanau.py"
EPOCH = re.compile(r"epoch ([\d.]+): .*validation BLEU ([\d.]+)")
END = "end"


def read(path):
    """Reads what the runs wrote.

    Returns:
        dict of the runs' labels and lists of their points, dicts of `cpu_seconds`, `wall_seconds`
        and `bleu` in the order of training.
    """
    results = {}
    for number, line in enumerate(_lines(path), 1):
        try:
            fields = json.loads(line)
            if END in fields:
                continue
            point = {name: fields[name] for name in ("cpu_seconds", "wall_seconds", "bleu")}
            results.setdefault(fields["label"], {})[fields["step"]] = point
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}, line {number}: expected a result of this program. Received: {line}"
            ) from error
    return {label: [points[step] for step in sorted(points)] for label, points in results.items()}


def finished(label, path):
    """Returns whether an earlier call completed this run."""
    return {"label": label, END: True} in map(json.loads, _lines(path))


def run_peer(label, name, options, highest):
    """Trains a peer until its BLEU reaches `highest` or a limit is reached.

    Raises:
        RuntimeError: its program failed.
    """
    with np.load(options.data / BATCHES_FILE) as arrays:
        batches_per_epoch = arrays["bucketed"].shape[1]
    every = max(round(options.every * batches_per_epoch), 1)
    arguments = [options.data / BATCHES_FILE, "--evaluate-every", every]
    arguments += ["--steps", round(options.epochs * batches_per_epoch)]
    state = _directory(label, options)
    arguments += ["--state", state]
    arguments += ["--learning-rate", options.learning_rate, "--dropout", options.dropout]
    peer = peer_programs.PEERS[name]
    tokenizer = Tokenizer.load(options.data / TOKENIZER_FILE)
    references = Path(options.target_validation).read_text(encoding="utf-8").splitlines()
    state.mkdir(parents=True, exist_ok=True)
    log_path = state / "log.txt"
    with log_path.open("a") as log:
        process = peer_programs.start(
            peer.program, peer.environment, options.environments, arguments, stderr=log
        )

        def points():
            for line in process.stdout:
                point = json.loads(line)
                texts = [tokenizer.decode(ids) for ids in point.pop("translations")]
                point["bleu"] = sacrebleu.BLEU().corpus_score(texts, [references]).score
                yield point

        if not _reaches_limit(process, points(), label, options, highest) and process.returncode:
            raise RuntimeError(
                f"{peer.program} ended with exit code {process.returncode}: see {log_path}"
            )
    _append(options.output, {"label": label, END: True})


def run_command(label, options, highest):
    """Trains this package's model by its command until a limit is reached; see `run_peer`."""
    directory = _directory(label, options)
    # Its clock ended with the process that was interrupted.
    shutil.rmtree(directory, ignore_errors=True)
    arguments = ["--output", directory, "--export", "none", "--no-progress"]
    for text in TEXTS:
        arguments += [f"--{text.replace('_', '-')}", getattr(options, text)]
    process = peer_programs.start(
        COMMAND_PROGRAM,
        peer_programs.OWN_ENVIRONMENT,
        None,
        [*arguments, *options.arguments],
        stderr=subprocess.STDOUT,
    )
    lines = []

    def points():
        clock = {}
        for line in process.stdout:
            lines.append(line)
            if line.startswith("{"):
                clock = json.loads(line)
            if found := EPOCH.match(line):
                yield {"step": float(found[1]), **clock, "bleu": float(found[2])}

    if not _reaches_limit(process, points(), label, options, highest) and process.returncode:
        raise RuntimeError(
            f"the command ended with exit code {process.returncode}.\n" + "".join(lines[-20:])
        )
    _append(options.output, {"label": label, END: True})


def _reaches_limit(process, points, label, options, highest):
    """Writes the points that a process prints, and ends the process at the last one.

    Returns:
        False where it ended before that by itself.
    """
    with process:
        for point in points:
            if _note(label, point, options, highest):
                process.terminate()
                return True
    return False


def _directory(label, options):
    return options.runs / re.sub(r"[^\w.-]+", "_", label)


def _note(label, point, options, highest):
    """Adds a point to the file; returns whether it is the last one."""
    _append(options.output, {"label": label, **point})
    minutes = point["cpu_seconds"] / 60
    print(
        f"{label}: {minutes:.1f} CPU-minutes, step {point['step']}, BLEU {point['bleu']:.2f}",
        file=sys.stderr,
    )
    return point["bleu"] >= highest or minutes >= options.minutes


def _append(path, fields):
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(fields) + "\n")


def _lines(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
