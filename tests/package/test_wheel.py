"""The built wheel, in a directory of its own."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from checkout import ROOT

import keras_bahdanau

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    # Of a copy, because two builds at once in one directory disturb each other.
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "checkout"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("keras_bahdanau", "training", "export"):
        shutil.copytree(ROOT / name, copy / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", str(copy)]
    subprocess.run(command, cwd=folder, check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def run_installed(wheel, tmp_path_factory):
    """Runs Python elsewhere, with the installed wheel in place of the checkout."""
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site]
    subprocess.run([*command, wheel], check=True)

    def run(*arguments, directory):
        environment = {**os.environ, "PYTHONPATH": str(site)}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    return run


def test_the_wheel_claims_its_own_name_only(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"keras_bahdanau"}


def test_the_wheel_holds_every_source_file(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    folders = {
        "keras_bahdanau": "keras_bahdanau",
        "training": "keras_bahdanau/training",
        "export": "keras_bahdanau/export",
    }
    for folder, place in folders.items():
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".html"):
                assert f"{place}/{path.relative_to(ROOT / folder).as_posix()}" in held


def test_the_installed_command_works_elsewhere(run_installed, tmp_path):
    where = run_installed(
        "-c", "import keras_bahdanau; print(keras_bahdanau.__file__)", directory=tmp_path
    )
    assert not Path(where.strip()).is_relative_to(ROOT)
    version = run_installed("-m", "keras_bahdanau", "--version", directory=tmp_path)
    assert version.split() == ["keras-bahdanau", keras_bahdanau.__version__]
    for name in ("demo", "train", "translate", "evaluate", "score", "export", "benchmark"):
        text = run_installed("-m", "keras_bahdanau", name, "--help", directory=tmp_path)
        assert f"keras-bahdanau {name}" in text
