"""The example in examples/web/ with its packages, and what it takes to run it."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from checkout import EXAMPLES

EXAMPLE = EXAMPLES / "web"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
INSTALL_SECONDS = 120


def web_example(folder) -> Path:
    """A copy of the example, and of the tests' own scripts, that runs; else the test is skipped."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node or npm is not installed")
    packages = _packages()
    copied = Path(folder) / "web"
    shutil.copytree(EXAMPLE, copied, ignore=shutil.ignore_patterns("node_modules"))
    for script in Path(__file__).parent.glob("web_*.mjs"):
        shutil.copy(script, copied)
    (copied / "node_modules").symlink_to(packages)
    return copied


def browser() -> str:
    """The path of a browser; without one the test is skipped."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    pytest.skip(f"no browser is installed: {', '.join(BROWSERS)}")


def run_node(example, script, *arguments, stdin="", question=None, code=0):
    """Runs a script of the example and returns its process, which has to end with `code`.

    Args:
        example: what `web_example` returned.
        script: its name.
        *arguments: of its command line.
        stdin: its input.
        question: its input in place of `stdin`, for JSON.
        code: the expected exit code.
    """
    done = subprocess.run(
        ["node", script, *map(str, arguments)],
        cwd=example,
        input=stdin if question is None else json.dumps(question),
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == code, done.stderr
    return done


def answer_of(example, script, question):
    """What a script of the tests answers to a question, both in JSON."""
    return json.loads(run_node(example, script, question=question).stdout)


def _packages():
    """The folder of npm's packages, which is made once for each list of packages."""
    listed = b"".join((EXAMPLE / n).read_bytes() for n in ("package.json", "package-lock.json"))
    name = f"keras-bahdanau-web-{hashlib.sha256(listed).hexdigest()[:16]}"
    folder = Path(tempfile.gettempdir()) / name
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(EXAMPLE / name, temporary)
            _install(temporary)
            made = Path(temporary) / "made"
            made.mkdir()
            (Path(temporary) / "node_modules").rename(made / "node_modules")
            try:
                os.replace(made, folder)
            except OSError:  # Another process was faster.
                if not folder.exists():
                    raise
    return folder / "node_modules"


def _install(folder):
    command = ["npm", "ci", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{' '.join(command)} took longer than {INSTALL_SECONDS} seconds")
    if done.returncode:
        pytest.skip(f"npm's packages cannot be had: {done.stderr.strip().splitlines()[-1:]}")
