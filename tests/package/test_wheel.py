"""The built wheel and sdist, installed outside the checkout."""

import email
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from checkout import ROOT

import keras_bahdanau

pytestmark = pytest.mark.slow


BUILD_SDIST = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
NOT_SOURCES = shutil.ignore_patterns(
    ".git", "__pycache__", "*.egg-info", "build", "dist", "*env", ".*_cache", ".hypothesis", "my-*"
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    # A copy, because two builds at once in one directory disturb each other.
    return shutil.copytree(ROOT, tmp_path_factory.mktemp("sources") / "copy", ignore=NOT_SOURCES)


@pytest.fixture(scope="module")
def wheel(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", str(sources)]
    subprocess.run(command, cwd=folder, check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def sdist(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    command = [sys.executable, "-c", BUILD_SDIST, folder]
    subprocess.run(command, cwd=sources, check=True, stdout=subprocess.DEVNULL)
    (path,) = folder.glob("*.tar.gz")
    return path


@pytest.fixture(scope="module", params=["wheel", "sdist"])
def run_installed(request, tmp_path_factory):
    """Runs Python elsewhere, with the installed wheel or sdist in place of the checkout."""
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site]
    subprocess.run([*command, request.getfixturevalue(request.param)], check=True)

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
            if path.suffix in (".py", ".html", ".bz2", ".typed"):
                assert f"{place}/{path.relative_to(ROOT / folder).as_posix()}" in held
    assert {
        "keras_bahdanau/py.typed",
        "keras_bahdanau/training/corpora/built_in.tsv.bz2",
    } <= held


def test_the_wheel_says_where_its_home_is(wheel):
    with zipfile.ZipFile(wheel) as file:
        (name,) = (name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(file.read(name))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"Homepage", "Documentation", "Changelog", "Issues"} <= project["urls"].keys()
    urls = dict(url.split(", ") for url in metadata.get_all("Project-URL"))
    assert urls == project["urls"]
    assert metadata.get_all("Classifier") == project["classifiers"]


def test_the_sdist_holds_what_the_tests_read(sources, sdist):
    with tarfile.open(sdist) as file:
        held = {name.partition("/")[2] for name in file.getnames()}
    paths = {path.relative_to(sources) for path in sources.rglob("*") if path.is_file()}
    # What builds leave in the copy.
    built = {path for path in paths if {"build", "__pycache__"} & {*path.parts}}
    assert {path.as_posix() for path in paths - built} <= held


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


def test_the_installed_corpus_is_found(run_installed, tmp_path):
    code = (
        "from keras_bahdanau.training.corpora.built_in import built_in_corpus;"
        "print(len(built_in_corpus()['train']))"
    )
    assert run_installed("-c", code, directory=tmp_path).split() == ["26000"]
