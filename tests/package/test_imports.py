"""Rules of the package's structure that can be read off the sources."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import keras_bahdanau
import keras_bahdanau.export
import keras_bahdanau.training

ROOT = "keras_bahdanau"
PACKAGES = {
    ROOT: Path(keras_bahdanau.__file__).parent,
    f"{ROOT}.export": Path(keras_bahdanau.export.__file__).parent,
    f"{ROOT}.training": Path(keras_bahdanau.training.__file__).parent,
}
# Modules that every subpackage may import, and which import nothing but each other.
PLAIN = {"concurrency", "errors", "files", "options", "quiet", "registration", "version"}
# The subpackages from the ground up, each with those below that it may import.
MAY_IMPORT = {
    "backend": set(),
    "time_loop": {"backend"},
    "layers": {"backend", "time_loop"},
    "recurrent": {"backend", "time_loop", "layers"},
    "models": {"backend", "layers", "recurrent"},
    "search": {"backend"},
    "text": set(),
    "alignments": set(),
    "translation": {"alignments", "backend", "models", "search", "text"},
    "serving": {"text", "translation"},
    "training": {"backend", "models", "text", "translation"},
    "export": {"alignments", "models", "recurrent", "text", "translation"},
    "loading": {"export", "serving", "translation"},
    "command_line": {"alignments", "export", "loading", "training", "translation"},
}
BACKENDS = {"tensorflow", "tensorflow_text", "jax", "torch"}
ON_EVERY_BACKEND = ("backend", "time_loop", "layers", "recurrent", "models", "search")


def sources():
    """Module names and files of the whole package."""
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join([package, *(part for part in parts if part != "__init__")]), path


SOURCES = dict(sources())
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}


def imports(name):
    """Full names of all modules and names that a module imports, also inside functions."""
    package = name if SOURCES[name].name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
            # `from package import module` imports the module, and nothing of the package itself.
            yield from names
            if not set(names) <= SOURCES.keys():
                yield module


def imported_modules(name):
    """The modules of the package that a module imports; a package is its `__init__`."""
    return {target for target in imports(name) if target in SOURCES} - {name}


def subpackage_of(name):
    """`layers` for `keras_bahdanau.layers.arguments`; `None` outside the package.

    An entry point, `python -m` of a folder, is in no subpackage: it may import the command line.
    """
    root, *parts = name.split(".")
    if parts[-1:] == ["__main__"]:
        return "__main__"
    return parts[0] if root == ROOT and parts else None


def test_sources_are_found():
    subpackages = {subpackage_of(name) for name in SOURCES} - {None}
    assert subpackages == {*MAY_IMPORT, *PLAIN, "__main__"}
    assert f"{ROOT}.training.training_run" in SOURCES and f"{ROOT}.export.litert" in SOURCES


def test_relative_and_late_imports_are_read():
    assert f"{ROOT}.training.adam" in imported_modules(f"{ROOT}.training.compilation")
    assert f"{ROOT}.training.replicated_model" in imported_modules(f"{ROOT}.training.compilation")


@pytest.mark.parametrize("subpackage", [*MAY_IMPORT, *sorted(PLAIN)])
def test_imports_go_one_way(subpackage):
    allowed = MAY_IMPORT.get(subpackage, set()) | PLAIN | {subpackage, None}
    wrong = [
        (name, target)
        for name in SOURCES
        if subpackage_of(name) == subpackage
        for target in imports(name)
        if target.split(".")[0] == ROOT and subpackage_of(target) not in allowed
    ]
    assert wrong == []


def test_no_module_imports_itself_by_way_of_others():
    # Depth first: a module on the way that is met again closes a cycle.
    finished = set()

    def visit(name, way):
        assert name not in way, [*way[way.index(name) :], name]
        if name not in finished:
            for target in sorted(imported_modules(name)):
                visit(target, [*way, name])
            finished.add(name)

    for name in SOURCES:
        visit(name, [])


def test_layers_models_and_search_run_on_every_backend():
    # A backend's own module is imported where the backend was asked for, inside a function.
    for name in SOURCES:
        if subpackage_of(name) in ON_EVERY_BACKEND:
            for node in TREES[name].body:
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    found = [alias.name for alias in node.names]
                    found = [node.module] if isinstance(node, ast.ImportFrom) else found
                    assert not {target.split(".")[0] for target in found} & BACKENDS, name


@pytest.mark.parametrize("subpackage", ["training", "export"])
def test_siblings_import_each_other_relatively(subpackage):
    # The folder's name in a checkout is not its installed name: editors see relative imports alone.
    for name in SOURCES:
        if subpackage_of(name) == subpackage:
            for node in ast.walk(TREES[name]):
                if isinstance(node, ast.ImportFrom) and not node.level:
                    assert subpackage_of(node.module or "") != subpackage, (name, node.lineno)


def test_short_modules_have_several_readers():
    # Two files that are only ever read together are one; `registration` is a mechanism of its own.
    readers = {name: [] for name in SOURCES}
    for name in SOURCES:
        for target in imported_modules(name):
            readers[target].append(name)
    alone = {
        name.removeprefix(f"{ROOT}.")
        for name, path in SOURCES.items()
        if path.stem not in ("__init__", "__main__")
        and len(readers[name]) == 1
        and len(path.read_text(encoding="utf-8").splitlines()) < 60
    }
    assert alone == {"registration"}


def test_no_module_of_leftovers():
    leftovers = {"utils", "helpers", "common", "constants", "misc"}
    assert not [name for name in SOURCES if leftovers & set(name.split("."))]


def run_python(code):
    completed = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True
    )
    assert completed.returncode == 0, completed.stderr
    return completed.stdout.split()


def test_the_package_and_its_light_parts_load_neither_keras_nor_tensorflow():
    loaded = run_python(
        f"import sys, {ROOT}, {ROOT}.training, {ROOT}.export, {ROOT}.command_line;"
        f"from {ROOT} import InputError, Translation, open_translator;"
        f"from {ROOT}.translation import SearchOptions, TextTranslator;"
        "print(*sys.modules)"
    )
    assert ROOT in loaded
    assert not {"keras", "matplotlib", "sentencepiece", *BACKENDS} & set(loaded)


def test_public_names():
    assert keras_bahdanau.__version__.count(".") == 2
    for name in keras_bahdanau.__all__:
        assert getattr(keras_bahdanau, name) is not None
    assert dir(keras_bahdanau) == sorted(keras_bahdanau.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Attention'"):
        _ = keras_bahdanau.Attention


def test_everything_exported_by_a_package_is_listed():
    for name, path in SOURCES.items():
        if path.name != "__init__.py" or name == ROOT:
            continue
        for node in ast.walk(TREES[name]):
            if isinstance(node, ast.ImportFrom) and (node.level or node.module.startswith(ROOT)):
                # `X as X` says that the name is meant for users of the package.
                assert all(alias.asname == alias.name for alias in node.names), name


@pytest.mark.parametrize(("package", "subcommand"), [("training", "train"), ("export", "export")])
def test_a_folder_is_a_command(package, subcommand):
    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", f"{ROOT}.{package}", *arguments], capture_output=True, text=True
        )

    shown = run("--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"usage: keras-bahdanau {subcommand} ")
    refused = run("--colour")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: ")
