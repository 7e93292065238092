"""The real command with ``hydra/launcher=pool``: one cell fails, cells are stopped and go on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Fer
from tests.helpers.small import small_archive

POOL = [
    "-m",
    "hydra/launcher=pool",
    "hydra.launcher.slots=2",
    "hydra.launcher.threads_per_cell=1",
    "model=cgan",
    "model.width=4",
    "image_size=16",
    "data.batch_size=8",
    "trainer.log_images=16",
    "trainer.accelerator=cpu",
    "logger=csv",
]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return small_archive(tmp_path / "faces").path


def logged(folder: Path) -> int:
    """How many runs below ``folder`` have logged something."""
    files = folder.glob("multirun/train/*/metrics.csv")
    return sum(len(file.read_text().splitlines()) > 1 for file in files)


def logs(folder: Path) -> list[str]:
    """What the cells of the newest sweep printed."""
    newest = max((folder / "multirun" / ".hydra" / "pool").iterdir())
    return [log.read_text() for log in sorted(newest.glob("*.log"))]


def numbers(pattern: str, folder: Path) -> list[int]:
    """A number that the cells of the newest sweep printed, cell by cell."""
    found = [re.search(pattern, log) for log in logs(folder)]
    return [int(match[1].replace(",", "")) for match in found if match]


@pytest.mark.slow
def test_one_failing_cell_leaves_the_others(fer: Fer, archive: Path, tmp_path: Path) -> None:
    done = fer("train", *POOL, f"data.archive={archive}", "model.latent_dim=-1,8",
               "trainer.max_images=80")  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "fer: 1 of 2 cells done, 1 failed\n  #0 model.latent_dim=-1: " in done.stderr
    assert "#1 slot 1: model.latent_dim=8 → multirun/.hydra/pool/" in done.stderr
    assert re.search(r"^#1 done after \d+ s: multirun/train/cgan-small-", done.stderr, re.MULTILINE)
    mistakes = [line for line in done.stderr.splitlines() if line.startswith("fer: error: ")]
    assert len(mistakes) == 1
    assert re.search(r"model\.latent_dim=-1: .*; see multirun/.*/0\.log$", mistakes[0])
    assert "Traceback" not in done.stderr
    assert "Error executing job" not in done.stderr
    failed, finished = logs(tmp_path)
    assert failed.startswith("fer: error: model.latent_dim=-1")
    assert "run:     multirun/train/cgan-small-" in finished
    assert len(list((tmp_path / "multirun" / "train").glob("*/results.json"))) == 1


@pytest.mark.slow
def test_ctrl_c_stops_the_cells_and_the_command_goes_on(
    fer: Fer, archive: Path, tmp_path: Path
) -> None:
    arguments = ["train", *POOL, f"data.archive={archive}", "model.latent_dim=7,8"]
    process = subprocess.Popen(
        [sys.executable, "-m", "fer_lightning", *arguments, "trainer.max_images=10000000"],
        cwd=tmp_path,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while logged(tmp_path) < 2 and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)  # to the parent alone: it hands it on
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "fer: 0 of 2 cells done, 2 stopped" in errors
    assert errors.splitlines()[-1] == "fer: interrupted; the same command goes on where it was"
    assert "Traceback" not in errors
    assert all("go on with: fer train" in log for log in logs(tmp_path))
    stopped = numbers(r"stopped at ([\d,]+) of", tmp_path)
    assert len(stopped) == 2
    longer = fer(*arguments, f"trainer.max_images={max(stopped) + 80}")
    assert longer.returncode == 0, longer.stderr
    assert "fer: 2 of 2 cells done" in longer.stderr
    assert numbers(r"resumed at ([\d,]+) images", tmp_path) == stopped


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("hydra/launcher=poool", "did you mean pool?"),
        ("hydra.launcher.slots=0", "hydra.launcher.slots=0: pass 1 or more"),
        ("hydra.launcher.slots=two", "hydra.launcher.slots=two: Value 'two'"),
    ],
)
def test_mistakes_in_the_launcher_s_keys_are_one_line(
    fer: Fer, tmp_path: Path, override: str, said: str
) -> None:
    key = override.partition("=")[0]
    others = [word for word in POOL if not word.startswith(key + "=")]
    if key == "hydra/launcher":
        others = [word for word in others if not word.startswith("hydra.launcher.")]
    done = fer("train", *others, override, "seed=0,1")
    assert done.returncode == 2
    assert done.stderr.startswith("fer: error: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "multirun" / ".hydra" / "pool").exists()
