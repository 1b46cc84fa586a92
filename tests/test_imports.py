"""Rules of DESIGN.md that can be read off the sources."""

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
# Each part may import itself, what is named here, and the plain modules that import nothing.
PLAIN = {
    *("concurrency", "custom_gradient", "errors", "files", "lean_ops", "loops", "options"),
    *("quiet", "search_options", "version"),
}
MAY_IMPORT = {
    "layers": set(),
    "recurrent": {"layers"},
    "models": {"layers", "recurrent"},
    "search": set(),
    "text": set(),
    "alignments": set(),
    "generation": {"search"},
}
HIGHER = {"translator", "training", "export", "serving", "command_line"}
BACKENDS = {"tensorflow", "tensorflow_text", "jax", "torch"}


def sources():
    """Module names and files of the whole package."""
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join([package, *(part for part in parts if part != "__init__")]), path


SOURCES = dict(sources())


def imports(name):
    """Full names of the modules that a module imports, with `from .x` as it is written."""
    for node in ast.walk(ast.parse(SOURCES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module
            # `from package import module` imports the module too.
            yield from (f"{module}.{alias.name}" for alias in node.names)


def part_of(name):
    """`layers` for `keras_bahdanau.layers.arguments`; `None` outside the package."""
    root, *parts = name.split(".")
    return parts[0] if root == ROOT and parts else None


def imported_parts(part):
    """The parts of the package that a part imports, with the module that does it."""
    for name in SOURCES:
        if part_of(name) == part:
            yield from ((name, part_of(target)) for target in imports(name) if part_of(target))


def modules_of(*parts):
    return [name for name in SOURCES if part_of(name) in parts]


def test_sources_are_found():
    parts = {part_of(name) for name in SOURCES}
    assert {*MAY_IMPORT, *HIGHER, *PLAIN} <= parts
    assert f"{ROOT}.training.train" in SOURCES and f"{ROOT}.export.litert" in SOURCES


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_go_one_way(part):
    allowed = MAY_IMPORT[part] | PLAIN | {part}
    wrong = [(name, target) for name, target in imported_parts(part) if target not in allowed]
    assert wrong == []


@pytest.mark.parametrize(
    "part, higher",
    [
        ("translator", {"training", "export", "command_line"}),
        ("training", {"export", "command_line"}),
        ("export", {"training", "command_line"}),
    ],
)
def test_nothing_imports_what_stands_on_it(part, higher):
    assert [found for found in imported_parts(part) if found[1] in higher] == []


def test_other_modules_import_nothing_higher():
    known = {*MAY_IMPORT, *HIGHER, None, "__main__"}
    for part in {part_of(name) for name in SOURCES} - known:
        assert [found for found in imported_parts(part) if found[1] in HIGHER] == []


def test_models_and_search_run_on_every_backend():
    parts = ("layers", "recurrent", "models", "search", "generation")
    for name in modules_of(*parts):
        assert not {target.split(".")[0] for target in imports(name)} & BACKENDS, name


def test_imports_are_absolute():
    for name in SOURCES:
        assert not [target for target in imports(name) if target.startswith(".")], name


def test_no_file_is_over_260_lines():
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in SOURCES.items()}
    # The runtime stays one file, because it is copied onto devices.
    limits = {f"{ROOT}.export.runtime": 490}
    assert {n: length for n, length in lengths.items() if length > limits.get(n, 260)} == {}


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
        f"from {ROOT} import InputError, Translation;"
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
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith(ROOT):
                # `X as X` says that the name is meant for users of the package.
                assert all(alias.asname == alias.name for alias in node.names), name
