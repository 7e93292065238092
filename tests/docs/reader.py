"""Types the commands of a page in this process, and notes which do not do what the page says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.core_plugins.basic_launcher import BasicLauncher

from fer_lightning.cli import main
from fer_lightning.config.registration import JOB_SCHEMAS
from fer_lightning.launchers import pool
from fer_lightning.launchers.slurm import launcher
from tests.docs.commands import Command

Run = Callable[[Any], Any]
"""What a job does with its typed configuration."""

FOLDERS = ("RUN", "OTHER", "CLASSIFIER", "OUT")
"""Folders of runs and archives, by the names that pages give them."""
WEIGHTS = {"detector.": "retinaface", "model.": "imagenet"}
"""Which file FILE stands for in keys that begin so; elsewhere, Inception's."""


@dataclass
class Reader:
    """Reads one page, with the working folder as a scratch folder.

    Attributes:
        capture: Gives what was printed.
        places: What stands for DIR, by corpus, for FILE (``weights``, and those of
            :data:`WEIGHTS`), and, where commands are executed, for those of :data:`FOLDERS` that
            the page has not made.
        wrapped: From a job and the command to what is run instead of the job.
        executes: Whether that does the job, so that the mistakes that it meets are met.
        mistakes: A text for each command that does not work.
        makers: What made each of :data:`FOLDERS`.
    """

    capture: pytest.CaptureFixture[str]
    places: dict[str, Path]
    wrapped: Callable[[str, Run, Command], Run]
    executes: bool
    mistakes: list[str] = field(default_factory=list)
    makers: dict[str, list[str]] = field(default_factory=dict)

    def type(self, command: Command) -> None:
        """Run one command of ``fer``, or a snippet, and note whether it ended as the page says."""
        if self.executes:
            self._clear(command)
        self.capture.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            # Cells of the pool are processes, in which nothing would be wrapped.
            patch.setattr(pool, "PoolLauncher", OneByOne)
            patch.setattr(launcher, "SlurmLauncher", OneByOne)
            for job in JOB_SCHEMAS:
                module = import_module(f"fer_lightning.jobs.{job}")
                patch.setattr(module, "run", self.wrapped(job, module.run, command))
            for name, value in command.environment.items():
                stands_for = {"DIR": self.places["data"], "FILE": self.places["retinaface"]}
                patch.setenv(name, str(stands_for.get(value, value)))
            status: Any
            try:
                status = self._run(command)
            except (Exception, SystemExit) as error:
                status = repr(error)
        printed, errors = self.capture.readouterr()
        said = command.output.strip()
        if said.startswith("fer: error: "):
            right = (status == 2 and said in errors) or (status == 0 and not self.executes)
        else:
            right = status == 0
        if not right:
            told = (errors or printed).strip()[-1500:]
            self.mistakes.append(f"{command}\n    ended with {status}: {told}")

    def _run(self, command: Command) -> int:
        program, *arguments = command.words
        if program == "python":
            exec(compile(arguments[0], "snippet", "exec"), {"__name__": "__main__"})
            return 0
        return main([self._filled(word, command) for word in arguments])

    def _filled(self, word: str, command: Command) -> str:
        """A word with what DIR, FILE and photo.jpg stand for; :data:`FOLDERS` are themselves."""
        if re.search(r"\bDIR\b", word):
            word = re.sub(r"\bDIR\b", str(self.places[_corpus(word, command)]), word)
        photo = self.places["folder"] / "neutral" / "0.jpg"
        word = re.sub(r"\bphoto\.jpg\b", str(photo), word)
        kinds = (kind for start, kind in WEIGHTS.items() if word.startswith(start))
        weights = next(kinds, "weights")
        word = re.sub(r"\bFILE\b", str(self.places[weights]), word)
        word = word.replace("$SLURM_ARRAY_TASK_ID", "0")
        key, _, value = word.partition("=")
        if "\u2026" in value:  # the reader has the rest of the name on the screen
            found = sorted(str(path) for path in Path().glob(value.replace("\u2026", "*[0-9a-f]")))
            return f"{key}={found[0]}" if found else word
        return word

    def _clear(self, command: Command) -> None:
        """Take :data:`FOLDERS` from what makes others, and give them to what needs them."""
        words = [w for w in command.words if not w.startswith(("trainer.", "logger", "force="))]
        for name in FOLDERS:
            if words_making(name) & set(words):
                if self.makers.setdefault(name, words) != words:
                    shutil.rmtree(name, ignore_errors=True)
                    self.makers[name] = words
            elif not Path(name).exists() and re.search(rf"\b{name}\b", " ".join(words)):
                shutil.copytree(self.places[name], name)
                self.makers[name] = []

    def finish(self) -> None:
        """Fail if a command does not work."""
        assert not self.mistakes, "\n".join(["these do not work:", *self.mistakes])


def _corpus(word: str, command: Command) -> str:
    """The dataset that DIR stands for in a word: a part's, the command's, or a folder of faces."""
    if part := re.match(r"data\.parts\.(\w+)\.", word):
        return part[1]
    if block := re.match(r"(fit|test|domains\.\w+)\.", word):
        found = re.search(rf"data@{block[1]}=(\w+)", " ".join(command.words))
        return found[1] if found else "folder"
    chosen = re.search(r"(?:^| )data=(\w+)|(fer2013)", " ".join(command.words))
    if chosen is None or word.startswith("photographs="):
        return "folder"
    return next(name for name in chosen.groups() if name)


def words_making(name: str) -> set[str]:
    """Arguments by which a command writes the folder ``name``."""
    return {f"{key}={name}" for key in ("run_dir", "archive", "out")}


class OneByOne(BasicLauncher):  # type: ignore[misc]
    """Stands for the pool and for SLURM."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__()
