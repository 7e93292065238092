"""The smoke experiment of every model, and an installed wheel, through the real command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer_lightning import registry
from tests.conftest import REPOSITORY, Fer


@pytest.mark.parametrize("model", registry.models.builtin)
def test_smoke(fer: Fer, tmp_path: Path, model: str) -> None:
    done = fer("train", f"experiment=smoke_{model}", "run_dir=RUN")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "RUN" / "results.json").is_file()


@pytest.mark.slow
def test_a_wheel_works_without_the_clone(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip"]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "-w", tmp_path, REPOSITORY], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    subprocess.run([*pip, "install", "-q", "--no-deps", "--target", site, wheel], check=True)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    where = (
        "import fer_lightning, fer_lightning.cli as c; print(fer_lightning.__file__, c.conf_dir())"
    )
    run = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
    places = subprocess.run([sys.executable, "-c", where], check=True, **run)  # type: ignore[call-overload]
    assert places.stdout.count(str(site)) == 2
    command = [sys.executable, "-m", "fer_lightning", "train", "experiment=smoke_cgan"]
    trained = subprocess.run([*command, "trainer.max_images=64"], check=False, **run)  # type: ignore[call-overload]
    assert trained.returncode == 0, trained.stderr
