"""Finds the commands, the snippets and the files that pages show.

Commands stand in fenced blocks without a language or with ``sh`` or ``bash``, one a line, and in
inline code. A line is one if it begins with ``fer``, ``make`` or ``wandb``, after ``srun`` and any
``VARIABLE=value``; a backslash continues it, ``# …`` ends it, ``&&`` joins two. What it prints may
follow in a ``text`` block. Files stand in blocks with a ``title``; a ``python`` block without one
is a snippet to be run, the program ``python`` with one word.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.conftest import REPOSITORY

SHELL = ("", "sh", "bash")
_FENCE = re.compile(r"( *)(`{3,})\s*([\w+-]*)\s*(.*)")
_COMMAND = re.compile(r"(?:[A-Z_]+=\S+ +)*(?:srun +)?(?:fer|make|wandb)(?: |$)")
_COMMENT = re.compile(r"\s+# .*")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: What stands behind the fence, or nothing.
        title: The file that it shows, or nothing.
        line: Number of its first line in the page.
        text: What it holds, without the fence's indentation.
    """

    language: str
    title: str
    line: int
    text: str

    @property
    def end(self) -> int:
        """Number of the line that ends it."""
        return self.line + self.text.count("\n")


@dataclass(frozen=True)
class Command:
    """One command of a page.

    Attributes:
        page: The page, relative to the repository.
        line: Where it begins.
        words: Program and arguments.
        environment: Variables set for it.
        task: Whether SLURM starts it.
        output: What the page says that it prints, or nothing.
        mention: Names a job, but is not meant to be typed as it stands.
    """

    page: str
    line: int
    words: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    task: bool = False
    output: str = ""
    mention: bool = False

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"

    @property
    def text(self) -> str:
        """The command as one line."""
        if self.words[0] == "python":
            return "the snippet"
        variables = "".join(f"{name}={value} " for name, value in self.environment.items())
        return variables + "srun " * self.task + shlex.join(self.words)


def pages() -> list[Path]:
    """All pages that show commands."""
    found = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md"]
    found += sorted((REPOSITORY / "docs").rglob("*.md"))
    return [*found, *sorted((REPOSITORY / "fer_lightning" / "models").glob("*/README.md"))]


def commands(page: Path) -> list[Command]:
    """All commands and snippets of a page, in its order."""
    name = str(page.relative_to(REPOSITORY)) if page.is_relative_to(REPOSITORY) else page.name
    text = page.read_text(encoding="utf-8")
    found = list(_inline(name, text))
    parts = blocks(text)
    for number, block in enumerate(parts):
        if block.language == "python" and not block.title:
            found.append(Command(name, block.line, ("python", block.text)))
        if block.language not in SHELL or (block.title and not block.language):
            continue
        own = list(_listed(name, block))
        following = next(iter(parts[number + 1 :]), None)
        if own and following and following.language == "text" and following.line - block.end <= 3:
            own[-1] = replace(own[-1], output=following.text)
        found += own
    return sorted(found, key=lambda command: command.line)


def files(page: Path) -> dict[str, str]:
    """Path to content of all files of a page; blocks of one title follow each other in a file."""
    found: dict[str, str] = {}
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.title:
            found[block.title] = "\n".join(filter(None, [found.get(block.title), block.text]))
    return found


def blocks(text: str) -> list[Block]:
    """All fenced blocks of a page, also indented ones."""
    found = []
    lines = enumerate(text.splitlines(), 1)
    for number, line in lines:
        opening = _FENCE.fullmatch(line)
        if opening is None:
            continue
        indent, fence, language, rest = opening.groups()
        held = []
        for _, inner in lines:
            if inner.strip() == fence:
                break
            held.append(inner.removeprefix(indent) + "\n")
        else:
            raise ValueError(f"line {number}: this block has no end")
        title = re.search(r'title="([^"]+)"', rest)
        found.append(Block(language, title[1] if title else "", number + 1, "".join(held)))
    return found


def _listed(page: str, block: Block) -> Iterator[Command]:
    lines = enumerate(block.text.splitlines(), block.line)
    for number, line in lines:
        whole = line.strip()
        while whole.endswith("\\"):
            whole = whole[:-1] + next(lines, (0, ""))[1].strip()
        for part in _COMMENT.sub("", whole).split(" && "):
            if _COMMAND.match(part):
                yield _command(page, number, part)


def _inline(page: str, text: str) -> Iterator[Command]:
    lines = text.splitlines()
    for block in blocks(text):
        lines[block.line - 2 : block.end] = [""] * (block.end - block.line + 2)
    prose = "\n".join(lines)
    for code in re.finditer(r"`((?:[^`\n]|\n(?!\n))+)`", prose):
        number = prose.count("\n", 0, code.start()) + 1
        for part in " ".join(code[1].split()).split(" && "):
            if _COMMAND.match(part):
                # A job alone, or with something left out, is talked about.
                mention = "=" not in part and not part.startswith("make")
                mention = mention or any(mark in part for mark in ("\u2026", "<", "NAME"))
                yield _command(page, number, part, mention)


def _command(page: str, line: int, text: str, mention: bool = False) -> Command:
    words = shlex.split(text)
    environment = {}
    while re.match(r"[A-Z_]+=", words[0]):
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    task = words[0] == "srun"
    return Command(page, line, tuple(words[task:]), environment, task, mention=mention)
