"""Builds and runs the program of examples/c."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest
from checkout import EXAMPLES

SOURCE = EXAMPLES / "c" / "translate.c"
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
WRONG_CALL = 2
SANITIZERS = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover"]


def build(path, *options):
    """Compiles translate.c, or skips the test where there is no C compiler.

    Args:
        path: of the program to make.
        *options: of the compiler.

    Returns: `path`.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler is installed")
    command = [compiler, *WARNINGS, str(SOURCE), *options, "-o", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    has_sanitizers = set(SANITIZERS) <= set(options)
    if has_sanitizers and "cannot find" in done.stderr:
        pytest.skip("the compiler has no libraries of its sanitizers")
    assert done.returncode == 0, done.stderr
    if has_sanitizers and run(path)[0] != WRONG_CALL:
        pytest.skip("programs with the compiler's sanitizers do not run here")
    return path


def litert_options():
    """The options that link with LiteRT's library, or skips the test where it is not installed."""
    package = importlib.util.find_spec("ai_edge_litert")
    folder = Path(package.submodule_search_locations[0]) if package else Path()
    if not (folder / "libLiteRt.so").is_file():
        pytest.skip("libLiteRt.so is not installed (it is in ai-edge-litert for Linux)")
    return [f"-L{folder}", f"-Wl,-rpath,{folder}", "-lLiteRt"]


def run(program, *arguments, lines=()):
    """Runs the program on lines, and returns its exit code, lines of output, and errors."""
    done = subprocess.run(
        [program, *map(str, arguments)],
        input=b"".join(line + b"\n" for line in lines),
        capture_output=True,
    )
    output = done.stdout.split(b"\n")
    assert output.pop() == b""
    return done.returncode, output, done.stderr.decode("utf-8", "replace")
