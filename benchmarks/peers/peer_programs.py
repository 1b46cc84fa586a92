"""The programs that are compared, the environments they run in, and the products they compute."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
INSTALLER = HERE / "install.py"
PREPARATION = HERE / "prepare.py"
OURS = "keras-bahdanau"
# The environment of the Python that runs the benchmark: this package's own.
OWN_ENVIRONMENT = ""
DEFAULT_DIRECTORY = Path("peers-env")


class Products(NamedTuple):
    """Multiplications of the matrix products of a forward pass.

    Attributes:
        source: for each token of a source.
        target: for each token of a target.
        pair: for each token of a target and each token of its source.
    """

    source: int
    target: int
    pair: int

    def operations(self, source_tokens, target_tokens, attended_pairs):
        """Additions and multiplications of training on real tokens.

        A product of m multiplications takes 2 m operations forward and twice as many backward (one
        product for the gradient of each factor). What is not in matrix products, the optimizer and
        the products made once a sentence are left out: less than 2 % of a step at this shape.
        """
        multiplications = (
            self.source * source_tokens + self.target * target_tokens + self.pair * attended_pairs
        )
        return 6 * multiplications


def additive_products(
    *,
    vocabulary=8000,
    embedding=256,
    encoder=256,
    decoder=512,
    attention=256,
    readout=512,
    readout_inputs=1280,
    fed=512,
):
    """Products of a GRU translator with additive attention.

    Args:
        vocabulary: size of the output.
        embedding: width of both embeddings.
        encoder: width of the encoder in each direction; the memory is twice as wide.
        decoder: width of the decoder.
        attention: width of the attention.
        readout: width of the layer before the output.
        readout_inputs: width of what goes into it: state, context and embedding in the paper,
            state and context in the others.
        fed: width of what is fed into the cell besides the embedding.
    """
    memory = 2 * encoder
    return Products(
        source=2 * 3 * encoder * (embedding + encoder) + memory * attention,
        target=3 * decoder * (embedding + fed + decoder)
        + decoder * attention
        + readout_inputs * readout
        + readout * vocabulary,
        pair=attention + memory,
    )


# Embedding and state are all that goes into the cell; the attention has queries, keys, values and
# an output projection; no readout.
TUTORIAL_PRODUCTS = Products(
    source=2 * 3 * 256 * 512 + 2 * 512 * 256,
    target=3 * 512 * (256 + 512) + 2 * 512 * 256 + 512 * 8000,
    pair=2 * 256,
)


class Peer(NamedTuple):
    """A program in this folder.

    Attributes:
        program: its file.
        environment: name of the environment, and of its file in `requirements/`.
        products: its `Products`.
        packages: what is installed, in words.
    """

    program: str
    environment: str
    products: Products
    packages: str


PEERS = {
    "opennmt-tf": Peer(
        "train_opennmt_tf.py",
        "tensorflow-2.15",
        additive_products(readout_inputs=1024),
        "OpenNMT-tf 2.32.0, TensorFlow 2.15",
    ),
    "tensorflow-addons": Peer(
        "train_tensorflow_addons.py",
        "tensorflow-2.15",
        additive_products(readout_inputs=1024),
        "TensorFlow Addons 0.23.0, TensorFlow 2.15",
    ),
    "tensorflow-tutorial": Peer(
        "train_tensorflow_tutorial.py",
        OWN_ENVIRONMENT,
        TUTORIAL_PRODUCTS,
        "TensorFlow's tutorial, TensorFlow 2.21",
    ),
    "joeynmt": Peer(
        "train_joeynmt.py",
        "torch-2.13",
        additive_products(readout_inputs=1024),
        "JoeyNMT 2.3.0, PyTorch 2.13",
    ),
    "opennmt-py": Peer(
        "train_opennmt_py.py",
        "torch-2.13",
        additive_products(readout_inputs=1024, attention=512),
        "OpenNMT-py 3.5.1, PyTorch 2.13",
    ),
    OURS: Peer("train_keras_bahdanau.py", OWN_ENVIRONMENT, additive_products(), "this package"),
}


def python_of(environment, directory):
    """The Python of an environment, a path; it does not exist where nothing is installed."""
    if environment == OWN_ENVIRONMENT:
        return Path(sys.executable)
    return Path(directory) / environment / "bin" / "python"


def absent_peers(names, directory):
    """Those of the peers that are not installed."""
    return [name for name in names if not python_of(PEERS[name].environment, directory).exists()]


def install_command(name, directory):
    """What a user types to install a peer."""
    return f"python {os.path.relpath(INSTALLER)} {name} --directory {directory}"


def pin_to_one_core(core=None):
    """Makes this process and all that it starts run on one core: `core`, or the first it has."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0)) if core is None else core})


def start(program, environment, directory, arguments, **options):
    """Starts a program of this folder for one core; standard output is a pipe of text.

    Args:
        program: file in this folder.
        environment: name of its environment.
        directory: directory of the environments.
        arguments: list of its arguments.
        **options: more arguments of `subprocess.Popen`.
    """
    variables = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return subprocess.Popen(
        [python_of(environment, directory), HERE / program, *map(str, arguments)],
        env={
            **os.environ,
            **dict.fromkeys(variables, "1"),
            "CUDA_VISIBLE_DEVICES": "-1",
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        },
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def last_line(program, environment, directory, arguments):
    """Runs a program of this folder to its end.

    Returns:
        The JSON object that is its last line.

    Raises:
        RuntimeError: it failed. The message ends with its standard error.
    """
    process = start(program, environment, directory, arguments, stderr=subprocess.PIPE)
    output, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{program} ended with exit code {process.returncode}.\n{errors}")
    return json.loads(output.splitlines()[-1])
