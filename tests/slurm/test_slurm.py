"""The real command on a real SLURM: a study, a failure, a cancelled cell, and a time limit."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.helpers.small import small_archive
from tests.slurm.conftest import Start

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]
SETTINGS = ["data.archive=faces", "model.width=4", "image_size=16", "data.batch_size=8",
            "data.augmentation.flip=true", "model.dropout=0.3", "trainer.accelerator=cpu",
            "trainer.log_images=160", "trainer.checkpoint_images=400",
            "trainer.sample_images=1000000", "trainer.progress=false", "logger=csv"]  # fmt: skip
ENDLESS = "trainer.max_images=1000000000"
SLURM = ["hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1",
         "hydra.launcher.timeout_min=30", "hydra.launcher.signal_delay_s=60"]  # fmt: skip
STUDY = {
    "name": "two",
    "seeds": [0],
    "axes": {"model.latent_dim": [8, 9]},
    "stages": {
        "train": {
            "job": "train",
            "overrides": [*SETTINGS, "trainer.devices=2", "trainer.max_images=400"],
        },
        "evaluate": {
            "job": "evaluate",
            "overrides": ["run=cell:train", "split=test", "feature=pixels", "accelerator=cpu"],
        },
    },
}
ARMS = {
    "name": "arms",
    "seeds": [0],
    "stages": {
        "train": {
            "job": "train",
            "overrides": SETTINGS,
            "arms": {
                "wrong": ["model.latent_dim=-1"],
                "endless": ["model.latent_dim=8", ENDLESS],
                "short": ["model.latent_dim=9", "trainer.max_images=80"],
            },
        },
    },
}


def study(folder: Path, content: dict[str, Any]) -> list[str]:
    """Arguments that run a study over SLURM."""
    file = folder / "conf" / "study" / f"{content['name']}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return ["study", f"study={content['name']}", "--config-dir", "conf", *SLURM]


def cells(folder: Path) -> dict[str, dict[str, Any]]:
    """What ``study.json`` says of each cell, by its stage and axes."""
    (file,) = folder.glob("multirun/study/*/study.json")
    listed = json.loads(file.read_text())["cells"]
    return {" ".join([c["stage"], *map(str, c["axes"].values())]): c for c in listed}


def arrays(folder: Path) -> list[Path]:
    """The folders of what was submitted, in order."""
    return sorted((folder / "multirun" / ".hydra" / "slurm").glob("20*"))


def run(start: Start, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; jobs of a loaded machine take their time."""
    process = start(arguments)
    output, errors = process.communicate(timeout=900)
    return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def wait_for(process: subprocess.Popen[str], what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 600
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def logged(folder: Path, name: str = "*") -> bool:
    """Whether a run has begun to train."""
    files = folder.glob(f"multirun/train/{name}/metrics.csv")
    return any(len(file.read_text().splitlines()) > 2 for file in files)


def queued(*options: str) -> dict[str, str]:
    """Ids of jobs in the queue, and their states."""
    command = ["squeue", "--noheader", "--array", "--format=%i %T", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(line.split() for line in done.stdout.splitlines())


def update(job: str, **changed: str) -> None:
    command = ["scontrol", "update", f"JobId={job}", *(f"{k}={v}" for k, v in changed.items())]
    subprocess.run(command, check=True)


def test_a_study_of_cells_with_two_tasks(start: Start, folder: Path) -> None:
    small_archive(folder / "faces", count=90)
    arguments = study(folder, STUDY)
    done = run(start, arguments)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 cells are done" in done.stdout
    found = cells(folder)
    assert {c["status"] for c in found.values()} == {"done"}
    for dim in (8, 9):
        made = folder / found[f"train {dim}"]["path"]
        results = json.loads((made / "results.json").read_text())
        assert (results["devices"], results["threads"], results["images_seen"]) == (2, 1, 400)
        assert (made / "rank1.log").is_file()
        assert Path(found[f"evaluate {dim}"]["path"]).parent.parent == Path(
            found[f"train {dim}"]["path"]
        )
    train, evaluate = arrays(folder)
    assert len(list((train / "tasks").glob("*-task1.status.json"))) == 2
    assert not list((evaluate / "tasks").glob("*task1*"))
    ended = max(f.stat().st_mtime for f in train.glob("*.collected.json"))
    assert ended <= (evaluate / "orders.json").stat().st_mtime
    assert sorted(p.name for p in folder.iterdir()) == ["archives", "conf", "faces", "multirun"]
    again = run(start, arguments)
    assert again.returncode == 0, again.stderr
    assert arrays(folder) == [train, evaluate]


def test_failed_and_cancelled_cells_leave_the_others(start: Start, folder: Path) -> None:
    small_archive(folder / "faces", count=90)
    arguments = study(folder, ARMS)
    first = start(arguments)
    wait_for(first, lambda: logged(folder) and cells(folder) and _ended(folder, 2))
    first.send_signal(signal.SIGINT)
    _, errors = first.communicate(timeout=120)
    assert first.returncode == 130
    told = re.search(r"1 of 3 cells go on in the queue; .*: scancel (\S+)", errors)
    assert told, errors
    job = told[1]
    assert queued("--states=RUNNING") == {job: "RUNNING"}  # whatever becomes of us
    assert cells(folder)["train short"]["status"] == "done"

    second = start(arguments)
    wait_for(second, lambda: len(arrays(folder)) == 2 and _ended(folder, 0, array=1))
    assert job in queued()
    subprocess.run(["scancel", job], check=True)
    output, errors = second.communicate(timeout=300)
    assert second.returncode == 2, errors
    assert "is known to SLURM from an earlier start: " in errors
    assert "1 of 3 cells are done" in output
    found = cells(folder)
    assert found["train wrong"]["status"] == found["train endless"]["status"] == "failed"
    assert "model.latent_dim=-1: " in found["train wrong"]["error"]
    assert (
        f"SLURM ended job {job} (CANCELLED): it was cancelled; the same command goes on"
        in (found["train endless"]["error"])
    )
    log = Path(found["train endless"]["error"].rpartition("; see ")[2]).read_text()
    assert "finishing the batch and saving" in log
    assert "stopped at " in log
    assert len(list(folder.glob("multirun/train/*/checkpoints/last.ckpt"))) == 2


def _ended(folder: Path, count: int, array: int = 0) -> bool:
    """Whether all but some jobs of an array have been told of to the user."""
    if len(arrays(folder)) <= array:
        return False
    jobs = json.loads((arrays(folder)[array] / "orders.json").read_text())["orders"]
    ended = list(arrays(folder)[array].glob("*.collected.json"))
    return len(ended) == (count or len(jobs))


def test_a_cell_at_its_time_limit_ends_as_if_uninterrupted(start: Start, folder: Path) -> None:
    small_archive(folder / "faces", count=90)
    tried = run(start, ["train", *SETTINGS, "trainer.max_images=2000", "run_dir=tried"])
    assert tried.returncode == 0, tried.stderr
    seconds = json.loads((folder / "tried" / "results.json").read_text())["seconds"]
    images = int(2000 * 55 / seconds)  # the signal comes at most half a minute after a checkpoint
    whole = ["train", *SETTINGS, f"trainer.max_images={images}"]
    reference = start([*whole, "run_dir=whole"])
    limited = ["-m", *SLURM, "hydra.launcher.timeout_min=10", "run_dir=cell"]
    cell = start([*whole, *limited])
    saved = folder / "cell" / "checkpoints" / "last.ckpt"
    wait_for(cell, saved.is_file)
    (job,) = queued("--states=RUNNING")
    shown = subprocess.run(
        ["squeue", "--noheader", f"--jobs={job}", "--format=%M"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    minutes = int(shown.strip().split(":")[-2])
    update(job, TimeLimit=str(minutes + 1))
    (log,) = (folder / "multirun" / ".hydra" / "slurm").glob("*/0.log")
    wait_for(cell, lambda: "stopped at " in log.read_text())
    wait_for(cell, lambda: queued("--states=PENDING"))
    update(job, TimeLimit="10")
    _, errors = cell.communicate(timeout=900)
    assert cell.returncode == 0, errors
    assert "fer: 1 of 1 cells done" in errors
    text = log.read_text()
    assert text.count(f"job {job} on ") == 2
    assert int(re.findall(r"resumed at ([\d,]+) images", text)[0].replace(",", "")) > 0
    assert "another process" not in text
    reference.communicate(timeout=900)
    assert reference.returncode == 0
    assert_equal_runs(folder / "whole", folder / "cell")


def assert_equal_runs(one: Path, other: Path) -> None:
    a, b = (
        torch.load(run / "checkpoints" / "last.ckpt", weights_only=True) for run in (one, other)
    )
    assert a["fer"]["images_seen"] == b["fer"]["images_seen"] > 0
    assert a["state_dict"].keys() == b["state_dict"].keys()
    assert all(torch.equal(w, b["state_dict"][name]) for name, w in a["state_dict"].items())
    assert str(a["optimizer_states"]) == str(b["optimizer_states"])
    assert (one / "metrics.csv").read_bytes() == (other / "metrics.csv").read_bytes()
