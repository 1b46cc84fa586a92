"""Installs the peers that the benchmarks compare with, each group in an environment of its own.

The versions are those of `requirements/`. TensorFlow 2.15 needs Python 3.11 or older: give
another one by --python where this one is newer. 3 GB for all of them.

Examples:
  python benchmarks/peers/install.py all
  python benchmarks/peers/install.py opennmt-tf --directory /tmp/peers
"""

import argparse
import subprocess
import sys
from pathlib import Path

from peer_programs import DEFAULT_DIRECTORY, HERE, OWN_ENVIRONMENT, PEERS, python_of


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="+", choices=[*PEERS, "all"])
    parser.add_argument("--directory", type=Path, default=DEFAULT_DIRECTORY, metavar="DIR")
    parser.add_argument("--python", default=sys.executable, help="the Python of the environments")
    options = parser.parse_args(arguments)
    names = PEERS if "all" in options.name else options.name
    environments = sorted({PEERS[name].environment for name in names} - {OWN_ENVIRONMENT})
    if not environments:
        print("nothing to install: it runs in the environment of this package", file=sys.stderr)
    try:
        for environment in environments:
            install(environment, options.directory, options.python)
    except subprocess.CalledProcessError as error:
        print(f"install.py: {error}", file=sys.stderr)
        return 1
    return 0


def install(environment, directory, python):
    """Makes an environment and installs its requirements; what is there already stays."""
    subprocess.run([python, "-m", "venv", directory / environment], check=True)
    requirements = HERE / "requirements" / f"{environment}.txt"
    pip = [python_of(environment, directory), "-m", "pip", "install", "--no-cache-dir"]
    subprocess.run([*pip, "--no-deps", "--requirement", requirements], check=True)


if __name__ == "__main__":
    sys.exit(main())
