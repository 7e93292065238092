"""The real command from a study's start to its comparison, over mistakes and interruptions."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fer_lightning.cli import main
from tests.conftest import Fer
from tests.helpers.imports import imported
from tests.helpers.small import small_archive

SMOKE = ["study=smoke", "train=[trainer.max_images=240,trainer.accelerator=cpu,logger=csv]"]
POOL = ["hydra/launcher=pool", "hydra.launcher.slots=2", "hydra.launcher.threads_per_cell=1"]
MINE = """
name: mine
seeds: [0]
axes:
  model.latent_dim: [-1, 8]
stages:
  train:
    job: train
    overrides: [experiment=smoke_cgan, logger=csv, model.width=4, trainer.accelerator=cpu]
  evaluate:
    job: evaluate
    overrides: ["run=cell:train", split=test, feature=pixels, accelerator=cpu]
"""
ARMS = """
name: arms
seeds: [0, 1]
baseline: {arm: real}
compare: later
stages:
  gan:
    job: train
    overrides: [experiment=smoke_cgan, logger=csv, model.width=4, trainer.accelerator=cpu]
  generate:
    job: generate
    overrides: ["run=cell:gan", "archive=cell:gan/more", count=70, accelerator=cpu]
  later:
    job: train
    overrides: [experiment=smoke_cgan, logger=csv, model.width=8, trainer.accelerator=cpu]
    arms:
      more: ["data.extra=[cell:generate]"]
      real: []
      balanced: [data.balance=true]
  test:
    job: evaluate
    overrides: ["run=cell:later", feature=pixels, accelerator=cpu]
    axes:
      split: [val, test]
metrics:
  frechet_pixels: {higher: false, paper: {real: "B/accuracy/baseline/accuracy"}}
  frechet_pixels/*: {higher: false}
"""


def command(*arguments: str, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fer_lightning", "study", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the shipped study has run, and what it printed."""
    folder = tmp_path_factory.mktemp("first")
    process = command(*SMOKE, cwd=folder, FER_ARCHIVES=str(folder / "archives"))
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return folder, output


@pytest.fixture
def folder(first: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished study."""
    copy = tmp_path / "copy"
    shutil.copytree(first[0], copy)
    monkeypatch.setenv("FER_ARCHIVES", str(copy / "archives"))
    return copy


def record(folder: Path, name: str = "smoke") -> dict[str, Any]:
    (file,) = folder.glob(f"multirun/study/{name}-*/study.json")
    loaded: dict[str, Any] = json.loads(file.read_text())
    return loaded


def started(output: str) -> list[str]:
    return re.findall(r"^\[\d+/\d+\] (.+)$", output, re.MULTILINE)


@pytest.mark.slow
def test_a_study_runs_every_cell(first: tuple[Path, str]) -> None:
    folder, output = first
    names = [
        f"{stage}: model.spectral_norm={value} seed={seed}"
        for stage in ("train", "evaluate")
        for value in ("true", "false")
        for seed in (0, 1)
    ]
    assert started(output) == names
    assert "HYDRA" not in output
    done, compare, study = output.splitlines()[-3:]
    place = re.fullmatch(r"study:   (multirun/study/smoke-[0-9a-f]{8})", study)
    assert place
    assert done == "8 of 8 cells are done"
    assert compare == f"compare: fer compare study={place[1]} out=DIR"
    assert sorted(p.name for p in folder.iterdir()) == ["archives", "multirun"]
    assert {cell["status"] for cell in record(folder)["cells"]} == {"done"}


@pytest.mark.slow
def test_a_second_start_skips_what_is_done(fer: Fer, folder: Path) -> None:
    before = record(folder)
    done = fer("study", *SMOKE, cwd=folder, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    assert started(done.stdout) == []
    assert "8 of 8 cells are done" in done.stdout
    assert "torch" not in imported(done.stderr)
    assert {**record(folder), "command": ""} == {**before, "command": ""}


@pytest.mark.slow
def test_what_was_deleted_is_done_again(fer: Fer, folder: Path) -> None:
    cells = record(folder)["cells"]
    (folder / cells[0]["path"] / "results.json").unlink()
    shutil.rmtree(folder / cells[2]["path"])
    done = fer("study", *SMOKE, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert started(done.stdout) == [
        f"{stage}: model.spectral_norm={value} seed=0"
        for stage in ("train", "evaluate")
        for value in ("true", "false")
    ]
    assert "8 of 8 cells are done" in done.stdout


@pytest.mark.slow
def test_printed_commands_can_be_typed(fer: Fer, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    done = fer("study", *SMOKE, "dry_run=true", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert sorted(folder.rglob("*")) == before
    assert done.stdout.splitlines()[-1] == "8 cells, 8 done, 0 to do"
    commands = [shlex.split(x) for x in done.stdout.splitlines() if x.startswith("       fer ")]
    assert len(commands) == 8
    for words, said in ((commands[0], "this run is finished"), (commands[4], "measured before")):
        again = fer(*words[1:], cwd=folder)
        assert again.returncode == 0, again.stderr
        assert said in again.stdout


def test_a_dry_run_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    train = "train=[data.emotions=[fear,anger],run_dir='a b',data.root=/c (1)]"
    assert main(["study", "study=smoke", train, "dry_run=true"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "to do  train: model.spectral_norm=true seed=0",
        "       fer train experiment=smoke_cgan 'data.emotions=[fear,anger]' "
        "'run_dir='\"'\"'a b'\"'\"'' 'data.root=/c (1)' model.spectral_norm=true seed=0 "
        "logger.group=smoke",
    ]
    assert lines[-1] == "8 cells, 0 done, 8 to do"
    assert not list(tmp_path.rglob("study.json"))
    assert not (tmp_path / "multirun" / "train").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["study=smoek"], "study=smoek: there is no such study; did you mean smoke?"),
        (["study=smoke", "train=trainer.max_images=1"], "give a list, train=[KEY=VALUE,KEY=VALUE]"),
        (["study=smoke", "study.seeds=[]"], "study.seeds is empty"),
        (["study=smoke", "dryrun=true"], "did you mean dry_run?"),
        (["study=smoke", "train=[run=cell:trian]"], "cell:trian names no stage before it"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["study", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("fer: error: ")
    assert len(error.splitlines()) == 1


CPU = {
    "augmentation": [],
    "augmentation_cpu": [
        "model.generator_width=16",
        "model.discriminator_width=16",
        "model.ema_half_life=5000",
        "trainer.max_images=81920",
    ],
}
"""Overrides of the DCGANs by study."""


@pytest.mark.parametrize("name", list(CPU))
def test_the_augmentation_study_can_be_planned(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FER_DATA", raising=False)
    assert main(["study", f"study={name}", "study.seeds=[0]", "dry_run=true"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "36 cells, 0 done, 36 to do"
    commands = dict(zip(lines[:-1:2], map(shlex.split, lines[1:-1:2]), strict=True))
    arms = [line for line in commands if line.startswith("to do  classifier: arm=")]
    assert len(arms) == 9
    assert "data.extra=[cell:generate_sn]" in commands["to do  classifier: arm=cgan_sn seed=0"]
    assert "data.extra=cells:generate_dcgan" in commands["to do  classifier: arm=dcgan seed=0"]
    gan = commands["to do  gan_dcgan: data.only=[disgust] seed=0"]
    assert gan[2:] == [
        "experiment=dcgan_fer2013_48",
        *CPU[name],
        "data.only=[disgust]",
        "seed=0",
        f"logger.group={name}",
    ]
    own = commands["to do  test: arm=synthetic_only seed=0"]
    assert own[3:] == ["split=test", "data=fer2013", "data.root='${oc.env:FER_DATA}/fer2013'"]
    small = [words for words in commands.values() if "model.width=16" in words]
    assert len(small) == (11 if name == "augmentation_cpu" else 0)


def write_study(folder: Path, text: str) -> Path:
    file = folder / "conf" / "study" / "mine.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file.parent.parent


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [[], POOL], ids=["one_by_one", "pool"])
def test_a_failing_cell_leaves_the_others(fer: Fer, tmp_path: Path, launcher: list[str]) -> None:
    conf = write_study(tmp_path, MINE)
    archive = small_archive(tmp_path / "my faces (1)").path
    arguments = ["study", "--config-dir", str(conf), "study=mine", *launcher]
    train = f"train=[data.archive={archive},image_size=16,trainer.max_images=80]"
    done = fer(*arguments, train)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    reason = r".*model\.latent_dim=-1: give at least 1.*"
    lines = done.stdout.splitlines()
    assert lines[-5] == "2 of 4 cells are done"
    assert re.fullmatch(rf"  failed: train: model\.latent_dim=-1 seed=0: {reason}", lines[-4])
    assert lines[-3] == (
        "  missing: evaluate: model.latent_dim=-1 seed=0: what it needs was not made"
    )
    assert lines[-2] == "the same command goes on where it was"
    (place,) = (file.parent for file in tmp_path.glob("multirun/study/*/study.json"))
    assert [c["status"] for c in record(tmp_path, "mine")["cells"]] == [
        "failed", "done", "missing", "done"
    ]  # fmt: skip
    again = fer(*arguments, train)
    assert again.returncode == 2
    assert re.search(rf"^fer: error: train: model\.latent_dim=-1 {reason}$", again.stderr, re.M)
    assert started(again.stdout) == ([] if launcher else ["train: model.latent_dim=-1 seed=0"])
    assert "latent_dim=8" not in again.stdout + again.stderr
    diverging = f"train=[data.archive={archive},image_size=16,model.generator_lr=1e30]"
    assert fer(*arguments, diverging).returncode == 2
    (study,) = {f.parent for f in tmp_path.glob("multirun/study/*/study.json")} - {place}
    mistaken, diverged = json.loads((study / "study.json").read_text())["cells"][:2]
    assert mistaken["path"] is None
    told = (tmp_path / diverged["path"] / "error.txt").read_text().strip()
    assert told.startswith("training ")
    assert told in diverged["error"]
    nothing = fer("compare", f"study={study}", "out=page")
    assert f"failed: train: model.latent_dim=8 seed=0 ({diverged['error']})" in nothing.stderr


@pytest.mark.slow
def test_a_stopped_study_goes_on(fer: Fer, tmp_path: Path) -> None:
    conf = write_study(tmp_path, MINE.replace("[-1, 8]", "[8]"))
    archive = small_archive(tmp_path / "faces").path
    train = (
        f"train=[data.archive={archive},image_size=16,data.batch_size=8,trainer.log_images=16,"
        "trainer.max_images=5000]"
    )
    arguments = ["--config-dir", str(conf), "study=mine", train]
    for logged in (False, True):
        process = command(*arguments, cwd=tmp_path)
        assert process.stdout is not None
        while not process.stdout.readline().startswith("[1/2] train: "):
            assert process.poll() is None, process.communicate()
        deadline = time.monotonic() + 120
        while logged and time.monotonic() < deadline:
            files = tmp_path.glob("multirun/train/*/metrics.csv")
            if any(len(file.read_text().splitlines()) > 1 for file in files):
                break
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 130, errors
        assert "Traceback" not in errors
        lines = output.splitlines()
        assert lines[-4] == "  missing: train: model.latent_dim=8 seed=0"
        assert lines[-2] == "the same command goes on where it was"
        assert "evaluate: " not in "".join(started(output))
    stopped = re.search(r"stopped at ([\d,]+) of 5,000 images", output)
    assert stopped
    done = fer("study", *arguments)
    assert done.returncode == 0, done.stderr
    assert f"resumed at {stopped[1]} images" in done.stdout
    assert "2 of 2 cells are done" in done.stdout


@pytest.mark.slow
def test_ctrl_c_over_the_pool_forgets_no_cell_that_ended(tmp_path: Path) -> None:
    conf = write_study(tmp_path, MINE.replace("[-1, 8]", "[7, 8]"))
    archive = small_archive(tmp_path / "faces").path
    train = (
        f"train=[data.archive={archive},image_size=16,data.batch_size=8,trainer.max_images=2000]"
    )
    arguments = ["--config-dir", str(conf), "study=mine", train, *POOL[:1], *POOL[2:]]
    process = command(*arguments, "hydra.launcher.slots=1", cwd=tmp_path)
    assert process.stderr is not None
    while not process.stderr.readline().startswith("#0 done"):
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    statuses = [cell["status"] for cell in record(tmp_path, "mine")["cells"]]
    assert statuses == ["done", "missing", "missing", "missing"]
    assert "1 of 4 cells are done" in output


@pytest.mark.slow
def test_a_narrower_start_and_a_longer_run(fer: Fer, folder: Path) -> None:
    cells = record(folder)["cells"]
    again = next(c for c in cells if c["stage"] == "train" and c["seed"] == 0)
    overrides = [o for o in again["overrides"] if "max_images" not in o and "group" not in o]
    longer = fer("train", *overrides, "trainer.max_images=300", cwd=folder)
    assert longer.returncode == 0, longer.stderr
    done = fer("study", *SMOKE, "study.seeds=[0]", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert started(done.stdout) == ["evaluate: model.spectral_norm=true seed=0"]
    assert "4 cells of earlier starts" in done.stdout
    assert "fer: warning: train: model.spectral_norm=true seed=0 was trained before" in done.stderr
    assert len(record(folder)["cells"]) == 8
    compared = fer("compare", "study=smoke", "out=OUT", cwd=folder)
    assert compared.returncode == 0, compared.stderr
    page = (folder / "OUT" / "comparison.md").read_text()
    assert "| different lengths |" in page
    assert "have seen different numbers of images" in page


@pytest.mark.slow
def test_a_study_is_compared(fer: Fer, folder: Path) -> None:
    done = fer("compare", "study=smoke", "out=OUT", cwd=folder)
    assert done.returncode == 0, done.stderr
    heading = done.stdout.splitlines()[0]
    assert re.fullmatch(r"\| +\| spectral_norm=true +\| spectral_norm=false +\|", heading)
    (frechet,) = (x for x in done.stdout.splitlines() if x.startswith("| frechet_pixels "))
    assert frechet.count("] (2)") == 2
    page = (folder / "OUT" / "comparison.md").read_text()
    assert "## Differences from model.spectral_norm=false" in page
    rows = page.partition("## Differences")[2]
    assert re.search(
        r"\| frechet_pixels +\| spectral_norm=true +\| spectral_norm=false .*\] \(2\) +"
        r"\| (lower|higher|not decided at this size)",
        rows,
    )
    with (folder / "OUT" / "results.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["model.spectral_norm"] for row in table] == ["true", "false"]
    assert [row["seeds"] for row in table] == ["0 1", "0 1"]
    for metric in ("frechet_pixels", "kernel_pixels", "coverage_pixels", "epoch_g_loss"):
        assert [row[f"{metric}_n"] for row in table] == ["2", "2"]
        assert {f"{metric}_{part}" for part in ("mean", "sd", "low", "high")} <= table[0].keys()
    assert (folder / "OUT" / "comparison.png").stat().st_size > 10_000


@pytest.mark.slow
def test_arms_on_generated_faces_are_compared(fer: Fer, tmp_path: Path) -> None:
    conf = write_study(tmp_path, ARMS)
    archive = small_archive(tmp_path / "faces").path
    train = f"train=[data.archive={archive},image_size=16,data.batch_size=16,trainer.max_images=96]"
    arguments = ["--config-dir", str(conf), "study=mine", train]
    done = fer("study", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "22 of 22 cells are done" in done.stdout
    again = fer("study", *arguments, cwd=tmp_path)
    assert started(again.stdout) == []
    done = fer("compare", "study=arms", "out=OUT", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "OUT" / "results.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [(row["arm"], row["split"]) for row in table] == [
        (arm, split) for arm in ("real", "more", "balanced") for split in ("val", "test")
    ]
    assert {row["seeds"] for row in table} == {"0 1"}
    page = (tmp_path / "OUT" / "comparison.md").read_text()
    assert re.search(r"^\| more +\| `data\.extra=\[cell:generate\]` +\|$", page, re.M)
    assert "- besides: 2 trainings of stage gan, 96 images seen, " in page
    differences = page.partition("## Differences from arm=real")[2].partition("\n## ")[0]
    for arm in ("more", "balanced"):
        assert re.search(rf"\| frechet_pixels\[test\] +\| {arm}, split=test +\| real, split", page)
        assert re.search(rf"\| frechet_pixels/\w+\[val\] +\| {arm}, split=val ", differences)
    assert "share (printed: 63.03 %)" in page
    assert "different archives" not in page
    assert (tmp_path / "OUT" / "differences.png").stat().st_size > 10_000
