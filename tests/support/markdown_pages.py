"""Markdown pages: their fenced code blocks, headings and links."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(r"^ *```(?P<info>[^\n`]*)\n(?P<code>.*?)^ *```$", re.DOTALL | re.MULTILINE)
_INLINE_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\]\([^)]*\))*\]\((?P<target>[^)\s]+)\)")
_REFERENCE = re.compile(r"\[[^\[\]]+\]\[(?P<label>[^\]]+)\]")
_DEFINITION = re.compile(r"^\[(?P<label>[^\]]+)\]: (?P<target>\S+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced code block.

    Attributes:
        kind: the first word of the info string: the language.
        note: the rest of the info string, such as `notest: needs a GPU`.
        code: the text of the block.
        line: number of its first line of code, from 1.
    """

    kind: str
    note: str
    code: str
    line: int


def code_blocks(text: str) -> list[Block]:
    """The fenced code blocks of a page, in order."""
    blocks = []
    for match in _FENCE.finditer(text):
        kind, _, note = match["info"].strip().partition(" ")
        line = text.count("\n", 0, match.start("code")) + 1
        blocks.append(Block(kind, note.strip(), match["code"], line))
    return blocks


def link_targets(text: str) -> list[str]:
    """Targets of all links and pictures of a page.

    Raises:
        ValueError: a link refers to a label that the page does not define.
    """
    prose = _INLINE_CODE.sub("", _FENCE.sub("", text))
    definitions = {match["label"].lower(): match["target"] for match in _DEFINITION.finditer(prose)}
    undefined = {match["label"].lower() for match in _REFERENCE.finditer(prose)} - {*definitions}
    if undefined:
        raise ValueError(f"Expected labels that the page defines. Received: {sorted(undefined)}")
    # Pictures are links inside links at times: the inner one first.
    targets = re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", prose)
    prose = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", prose)
    return [*targets, *(match["target"] for match in _LINK.finditer(prose)), *definitions.values()]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", _FENCE.sub("", text), flags=re.MULTILINE):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        count = 0
        while (unique := f"{slug}-{count}" if count else slug) in found:
            count += 1
        found.add(unique)
    return found


def shell_commands(code: str) -> list[list[str]]:
    """The words of each command of a shell block, without assignments and redirections."""
    commands = []
    for line in code.replace("\\\n", " ").replace("&&\n", "&& ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words, redirected = [], False
        for word in [*lexer, ";"]:
            if word in {"&&", "||", "|", ";", "&"}:
                commands.append(words)
                words = []
            elif redirected or word in {"<", ">", ">>"}:
                redirected = not redirected
            elif words or not re.match(r"\w+=", word):
                words.append(word)
    return [words for words in commands if words]


def package_arguments(words: list[str]) -> list[str] | None:
    """The arguments of a `keras-bahdanau` command; `None` of any other command."""
    if Path(words[0]).name == "keras-bahdanau":
        return words[1:]
    return None
