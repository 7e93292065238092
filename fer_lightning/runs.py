"""The run folder: where a job's configuration, logs, weights and results stand."""

from __future__ import annotations

import json
import os
import platform
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from omegaconf import OmegaConf

from fer_lightning import __version__
from fer_lightning.config.plain import flatten
from fer_lightning.data.fingerprint import digest
from fer_lightning.errors import UserError, mendable, naming
from fer_lightning.files import whole

if TYPE_CHECKING:
    from fer_lightning.data.archive import FaceArchive

ERROR = "error.txt"
"""What ended a training that failed, in its folder until it is started again."""
SCHEMA = 1
"""Version of the files that a run writes."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a job returns.

    Attributes:
        path: The folder or file that it made.
        metrics: What it measured.
        status: Exit status: 0, or 130 if the user stopped it.
        objectives: Those of the metrics that ``objective=`` asks for, which a search goes by.
    """

    path: Path
    metrics: Mapping[str, float] = field(default_factory=dict)
    status: int = 0
    objectives: Sequence[float] = ()

    def __float__(self) -> float:
        """The one objective: a sweeper of Hydra's that searches asks for it so."""
        if len(self.objectives) != 1:
            raise UserError(
                f"this search goes by one number, and the job gave {len(self.objectives)}: pass "
                "objective=NAME, the name of a metric"
            )
        return self.objectives[0]

    def __iter__(self) -> Iterator[float]:
        """The objectives: a search by several asks for them so."""
        return iter(self.objectives)


def command_line() -> str:
    """The command as it was typed, for a shell."""
    return shlex.join(["fer", *sys.argv[1:]])


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """A run's folder and what identifies the run in it.

    Attributes:
        path: The folder.
        identity: Everything that decides the result, as plain data; its hash names the run.
    """

    path: Path
    identity: Mapping[str, Any]

    @property
    def checkpoint(self) -> Path:
        """The newest weights."""
        return self.path / "checkpoints" / "last.ckpt"

    @property
    def samples(self) -> Path:
        """Folder of sample grids."""
        return self.path / "samples"

    @property
    def results_file(self) -> Path:
        """What the finished run measured."""
        return self.path / "results.json"

    @property
    def id(self) -> str:
        """Name of this run among all: its hash, its seed, and what tells twins apart."""
        return str(json.loads((self.path / "manifest.json").read_text("utf-8")).get("id", ""))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against other processes, once it is known to hold this very run.

        Raises:
            UserError: If another process holds it, or the folder belongs to another run.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"run_dir={self.path} is a file; choose a folder")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise UserError(
                f"run_dir={self.path}: another process trains this run; wait for it or choose "
                "another run_dir="
            ) from None
        try:
            with naming(self.path):
                yield
        finally:
            lock.release()

    def results(self) -> dict[str, Any] | None:
        """The results of this run if it is finished, or None.

        Raises:
            UserError: If the folder belongs to another run, or the file is damaged.
        """
        if not self.results_file.is_file():
            return None
        self._check_identity()
        try:
            loaded: dict[str, Any] = json.loads(self.results_file.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise UserError(f"{self.results_file} is damaged ({error}): delete it") from error
        return loaded

    def start(
        self, config: Mapping[str, Any], force: bool, archives: Sequence[FaceArchive]
    ) -> None:
        """Make the folder, or check that it holds this very run.

        Args:
            config: The resolved configuration, written to ``config.yaml``.
            force: Discard what the folder holds.
            archives: What it trains on, so that they are found again without their sources.

        Raises:
            UserError: If the folder belongs to another run; names the keys that differ.
        """
        manifest = self.path / "manifest.json"
        known = None
        if manifest.is_file():
            self._check_identity(force)
            if force:
                self._clear()
            else:
                known = self.id
        elif self.path.is_dir() and any(self.path.iterdir()):
            raise UserError(f"run_dir={self.path} holds other files; choose an empty folder")
        for folder in (self.path, self.samples, self.checkpoint.parent):
            folder.mkdir(parents=True, exist_ok=True)
        write_json(
            manifest,
            {
                "schema": SCHEMA,
                "job": "train",
                "hash": digest(self.identity),
                "id": known or self._new_id(),
                "identity": self.identity,
                "command": command_line(),
                "archives": [str(archive.path.resolve()) for archive in archives],
            },
        )
        with whole(self.path / "config.yaml") as unfinished:
            OmegaConf.save(OmegaConf.create(dict(config)), unfinished)
        (self.path / ERROR).unlink(missing_ok=True)

    @contextmanager
    def noting_failure(self) -> Iterator[None]:
        """Leave in the folder why a training failed, for whoever reads it later.

        Raises:
            UserError: What the user can mend, with this folder as its ``run``.
        """
        try:
            with naming(self.path):
                yield
        except Exception as error:
            mistake = mendable(error)
            with suppress(OSError):  # of a full disk, say: the first error is the one to tell
                write_whole(self.path / ERROR, f"{mistake or repr(error)}\n")
            if mistake is None:
                raise
            mistake.run = self.path
            if mistake is error:
                raise
            raise mistake from error

    def _new_id(self) -> str:
        seed = self.identity.get("seed")
        return f"{digest(self.identity)[:12]}-s{seed}-{secrets.token_hex(2)}"

    def _check_identity(self, any_run: bool = False) -> None:
        try:
            text = (self.path / "manifest.json").read_text(encoding="utf-8")
            found = json.loads(text)["identity"]
        except (OSError, json.JSONDecodeError, KeyError) as error:
            raise UserError(
                f"run_dir={self.path} has no manifest of a run; choose another run_dir="
            ) from error
        if any_run or found == self.identity:
            return
        there, here = dict(flatten(found)), dict(flatten(self.identity))
        differing = [
            f"{key} ({there.get(key)} there, {here.get(key)} here)"
            for key in sorted(there.keys() | here.keys())
            if there.get(key) != here.get(key)
        ]
        raise UserError(
            f"run_dir={self.path} holds another run: {', '.join(differing)}. Choose another "
            "run_dir=, or pass force=true to discard it"
        )

    def _clear(self) -> None:
        """Delete what a run writes, and nothing else that may lie in the folder."""
        for name in ("checkpoints", "samples", "evaluations", "wandb"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        for name in (
            "manifest.json",
            "config.yaml",
            "metrics.csv",
            "results.json",
            "curves.png",
            "train.log",
            ERROR,
        ):
            (self.path / name).unlink(missing_ok=True)
        for log in self.path.glob("rank*.log"):
            log.unlink()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write whole or not at all."""
    write_whole(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a text whole or not at all."""
    with whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="")


def provenance() -> dict[str, Any]:
    """Versions, commit and machine, for ``results.json``."""
    packages = (
        "torch",
        "torchvision",
        "lightning",
        "hydra-core",
        "numpy",
        "scipy",
        "scikit-learn",
        "optuna",
        "torchmetrics",
        "torch-fidelity",
        "facenet-pytorch",
        "pillow",
    )
    return {
        "python": platform.python_version(),
        "versions": {"fer_lightning": __version__, **{name: _version(name) for name in packages}},
        "commit": _commit(),
        "machine": {"platform": platform.platform(), "cores": os.cpu_count()},
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Commit of the clone that the package runs from; None for an installed wheel."""
    here = Path(__file__).resolve().parent.parent
    if not (here / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
