"""The smoke experiment of every model, and an installed wheel, through the real command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fer_lightning import registry
from tests.conftest import REPOSITORY, Fer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("model", registry.models.builtin)
def test_smoke(fer: Fer, tmp_path: Path, model: str) -> None:
    done = fer("train", f"experiment=smoke_{model}", "run_dir=RUN")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "RUN" / "results.json").is_file()


def test_jobs_share_the_run_of_an_experiment(tmp_path: Path) -> None:
    ask = "from fer_lightning.experiments import prepared_run as p; "
    ask += "print(p('experiment:smoke_cgan', 'run'))"
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", ask],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [job.communicate(timeout=200) for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], said
    places = {out.strip() for out, _ in said}
    (run,) = (tmp_path / "multirun" / "train").glob("cgan-*")
    assert {tmp_path / place for place in places} == {run}
    finished = ["this run is finished" in errors for _, errors in said]
    assert sorted(finished) == [False, True]
    (errors,) = (errors for (_, errors), later in zip(said, finished, strict=True) if later)
    assert "Another job is writing" in errors


@pytest.mark.parametrize(
    ("name", "outer", "told"),
    [
        ("smok_classifier", "", "there is no such experiment; did you mean smoke_classifier?"),
        ("other", "other", "this experiment needs itself (other → other); give another one"),
    ],
)
def test_an_experiment_that_cannot_be_trained_is_told_in_a_line(
    fer: Fer, tmp_path: Path, name: str, outer: str, told: str
) -> None:
    given = f"model.classifier=experiment:{name}"
    done = fer("train", "experiment=smoke_egc_gan", given, FER_EXPERIMENTS=outer)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"fer: error: {given}: {told}")
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("multirun/train/[!.]*"))


def test_an_experiment_of_ones_own_folder_is_trained_first(fer: Fer, tmp_path: Path) -> None:
    file = tmp_path / "conf" / "experiment" / "judge.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "# @package _global_\ndefaults: [smoke_classifier, _self_]\n"
        "data: {count: 140}\ntrainer: {max_images: 64}\n"
    )
    given = ["experiment=smoke_egc_gan", "model.classifier=experiment:judge", "run_dir=RUN"]
    small = [f"domains.{domain}.count=70" for domain in ("source", "target")]
    done = fer("train", "--config-dir", "conf", *given, *small, "trainer.max_images=64")
    assert done.returncode == 0, done.stderr
    (judge,) = (tmp_path / "multirun" / "train").glob("classifier-*")
    trained = yaml.safe_load((judge / "config.yaml").read_text())
    assert trained["trainer"]["max_images"] == 64
    assert (tmp_path / "RUN" / "results.json").is_file()


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
