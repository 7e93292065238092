"""Fixtures of the commands that measure a trained run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fer_lightning.cli import main
from tests.helpers.small import small_archive
from tests.smoke.test_train import TINY


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run and its archive, made once; tests work on copies of the run."""
    folder = tmp_path_factory.mktemp("trained")
    archive = small_archive(folder / "faces", count=180).path
    arguments = [*TINY, f"data.archive={archive}", "run_dir=RUN", "trainer.max_images=16"]
    subprocess.run([sys.executable, "-m", "fer_lightning", "train", *arguments], cwd=folder,
                   check=True, timeout=300)  # fmt: skip
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(trained / "RUN", tmp_path / "RUN")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "RUN"


@dataclass
class Here:
    """The command line in this process, which spares the imports."""

    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.capture.readouterr()
        status = main(arguments)
        return status, *self.capture.readouterr()


@pytest.fixture
def here(capfd: pytest.CaptureFixture[str]) -> Here:
    return Here(capfd)
