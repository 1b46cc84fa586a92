"""Every code block of README.md and docs/ runs in a test, or says why it does not.

The info string of a fenced block says how it is tested:

- `python`: runs here, the blocks of a page in order and with the same names;
- `sh`: `keras-bahdanau` commands, which run here (in the slow tier);
- `python run-by: FILE`: runs in that test file, which compares its results;
- `python notest: REASON`, `sh notest: REASON`: does not run. Python must compile, and every
  `keras-bahdanau` command must be one that the command's parser takes.

Blocks run in a folder with an untrained `my-model`, its exports and a small test set.
"""

import io
import shutil
import sys

import pytest
from checkout import ROOT
from markdown_pages import code_blocks, package_arguments, shell_commands

from keras_bahdanau.command_line import main
from keras_bahdanau.command_line.main import build_parser

PAGES = {
    path.relative_to(ROOT).as_posix(): code_blocks(path.read_text(encoding="utf-8"))
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}
TEST_SET = {
    "test.en": "the red dog runs\na small cat sleeps\n",
    "test.de": "el perro rojo corre\nun gato 12\n",
}


def blocks_that_run(kind):
    """The pages that have blocks of a kind to run, with these blocks."""
    found = {
        page: [block for block in blocks if block.kind == kind and not block.note]
        for page, blocks in PAGES.items()
    }
    return [pytest.param(page, blocks, id=page) for page, blocks in found.items() if blocks]


@pytest.fixture
def folder(request, tmp_path, monkeypatch):
    """A function that makes the current folder one with the files that the blocks name."""

    def make(blocks):
        code = "".join(block.code for block in blocks)
        if "my-model" in code:
            shutil.copytree(request.getfixturevalue("untrained_directory"), tmp_path / "my-model")
        if "my-model/litert" in code:
            exported = request.getfixturevalue("untrained_litert")
            shutil.copytree(exported, tmp_path / "my-model" / "litert")
        for name, text in TEST_SET.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)

    return make


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_how_it_is_tested(page):
    for block in PAGES[page]:
        where = f"{page}:{block.line}"
        assert block.kind in {"python", "sh"}, where
        how, _, detail = block.note.partition(": ")
        assert how in {"", "notest", "run-by"}, where
        assert bool(how) == bool(detail.strip()), where
        if how == "run-by":
            assert page.rpartition("/")[2] in (ROOT / detail).read_text(encoding="utf-8"), where


@pytest.mark.parametrize("page", PAGES)
def test_blocks_that_do_not_run_could(page):
    for block in PAGES[page]:
        if block.kind == "python":
            compile(block.code, f"{page}:{block.line}", "exec")
        else:
            for words in shell_commands(block.code):
                arguments = package_arguments(words)
                if arguments is not None:
                    build_parser().parse_args(arguments)


@pytest.mark.parametrize("page, blocks", blocks_that_run("python"))
def test_python_blocks_run(page, blocks, folder):
    folder(blocks)
    names = {}
    for block in blocks:
        # Blank lines in front give a traceback the line numbers of the page.
        code = "\n" * (block.line - 1) + block.code
        exec(compile(code, str(ROOT / page), "exec"), names)  # noqa: S102


@pytest.mark.slow
@pytest.mark.parametrize("page, blocks", blocks_that_run("sh"))
def test_commands_run(page, blocks, folder, monkeypatch):
    folder(blocks)
    for block in blocks:
        for words in shell_commands(block.code):
            arguments = package_arguments(words)
            assert arguments is not None, f"{page}:{block.line}: {words}"
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
            assert main(arguments) == 0, f"{page}:{block.line}: {words}"


def test_commands_are_read_as_a_shell_reads_them():
    code = 'A=1 B=\'{"x": 2}\' bin/keras-bahdanau translate M \\\n  "a b" < x > y  # why\n'
    code += "pip a && b c\n"
    commands = shell_commands(code)
    assert commands == [
        ["bin/keras-bahdanau", "translate", "M", "a b"],
        ["pip", "a"],
        ["b", "c"],
    ]
    assert package_arguments(commands[0]) == ["translate", "M", "a b"]
    assert package_arguments(commands[1]) is None
