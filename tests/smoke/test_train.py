"""The real command: train, stop, go on, generate, and what stands in the folders afterwards."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

from fer_lightning.data.archive import FaceArchive
from tests.conftest import Fer
from tests.helpers.small import class_folders, small_archive

TINY = [
    "model=cgan",
    "model.width=4",
    "model.latent_dim=8",
    "image_size=16",
    "data.batch_size=8",
    "trainer.max_images=80",
    "trainer.log_images=16",
    "trainer.sample_images=40",
    "trainer.accelerator=cpu",
    "logger=csv",
]


def metrics(run: Path) -> list[dict[str, str]]:
    if not (run / "metrics.csv").is_file():
        return []
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return small_archive(tmp_path / "faces").path


def test_a_run_folder_holds_what_it_should(fer: Fer, archive: Path, tmp_path: Path) -> None:
    done = fer("train", *TINY, f"data.archive={archive}", "run_dir=RUN")
    assert done.returncode == 0, done.stderr
    run = tmp_path / "RUN"
    assert done.stdout.splitlines()[-1] == "run:     RUN"
    results = json.loads((run / "results.json").read_text())
    assert results["images_seen"] == 80
    assert results["seconds"] > 0
    assert results["classes"] == {"happiness": 14, "sadness": 14, "anger": 14}
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["model"]["width"] == 4
    grid = Image.open(run / "samples" / "000000080.png")
    assert grid.height == 3 * (64 + 2) + 2
    assert (run / "curves.png").is_file()
    rows = metrics(run)
    assert [r["images_seen"] for r in rows if r["d_mean"]] == ["16", "32", "48", "64", "80"]
    epochs = [r for r in rows if r["epoch"]]
    assert [(r["images_seen"], r["epoch"]) for r in epochs] == [("40", "1"), ("80", "2")]
    epoch = epochs[0]
    assert float(epoch["epoch_d_loss"]) == pytest.approx(2 * float(epoch["epoch_d_mean"]))
    left = sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith("."))
    assert left == ["RUN", "faces", "multirun"]


@pytest.mark.slow
def test_a_finished_run_is_not_trained_again_but_longer(
    fer: Fer, archive: Path, tmp_path: Path
) -> None:
    command = ["train", *TINY, f"data.archive={archive}", "run_dir=RUN"]
    fer(*command)
    before = (tmp_path / "RUN" / "results.json").read_bytes()
    again = fer(*command)
    assert again.returncode == 0
    assert "this run is finished: 80 images seen" in again.stdout
    assert (tmp_path / "RUN" / "results.json").read_bytes() == before
    longer = fer(*command, "trainer.max_images=120")
    assert "resumed at 80 images" in longer.stdout
    assert [r["images_seen"] for r in metrics(tmp_path / "RUN") if r["d_mean"]][-1] == "120"
    other = fer(*command, "model.latent_dim=9")
    assert other.returncode == 2
    assert "model.latent_dim (8 there, 9 here)" in other.stderr
    assert "Traceback" not in other.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_the_same_command_goes_on(
    archive: Path, tmp_path: Path, fer: Fer, number: signal.Signals
) -> None:
    arguments = [
        "train",
        *TINY,
        f"data.archive={archive}",
        "run_dir=RUN",
        "trainer.max_images=4000",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "fer_lightning", *arguments],
        cwd=tmp_path,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while len(metrics(tmp_path / "RUN")) < 2 and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(number)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert out.splitlines()[-1].startswith("go on with: fer train")
    assert not (tmp_path / "RUN" / "results.json").exists()
    said = re.search(r"stopped at ([\d,]+) of 4,000 images", out)
    assert said is not None, out
    stopped = int(said[1].replace(",", ""))
    resumed = fer(*arguments)
    assert resumed.returncode == 0, resumed.stderr
    assert f"resumed at {said[1]} images" in resumed.stdout
    assert 0 < stopped < 4000
    seen = [int(r["images_seen"]) for r in metrics(tmp_path / "RUN") if r["d_mean"]]
    assert seen == sorted(set(seen))


@pytest.mark.slow
def test_a_sweep_prepares_what_it_lacks_and_names_its_runs(fer: Fer, tmp_path: Path) -> None:
    root = class_folders(tmp_path / "faces")
    done = fer("train", *TINY, "-m", "data=folder", f"data.root={root}", "detector=whole_image",
               "detector.margin=0,0.1", "trainer.max_images=16")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "multirun" / "train").glob("cgan-folder-*-s0"))) == 2
    assert len(list((tmp_path / "archives").glob("folder-whole_image-16-*"))) == 2


@pytest.mark.slow
def test_one_failing_cell_leaves_the_others(fer: Fer, archive: Path, tmp_path: Path) -> None:
    done = fer("train", *TINY, "-m", f"data.archive={archive}", "model.latent_dim=-1,8")
    assert done.returncode == 2
    assert "1 of 2 jobs failed" in done.stderr
    assert len(list((tmp_path / "multirun" / "train").glob("*/results.json"))) == 1


@pytest.mark.slow
def test_generate_balances_and_repeats(fer: Fer, archive: Path, tmp_path: Path) -> None:
    fer("train", *TINY, f"data.archive={archive}", "run_dir=RUN")
    command = ["generate", "run=RUN", "count=20", "batch_size=8", "accelerator=cpu"]
    done = fer(*command)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "archive: RUN/generated"
    generated = FaceArchive.open(tmp_path / "RUN" / "generated")
    counts = {e: generated.column("emotion").count(e) for e in ("happiness", "sadness", "anger")}
    assert counts == {"happiness": 7, "sadness": 7, "anger": 6}
    faces = generated.faces.copy()
    again = fer(*command, "archive=again")
    assert again.returncode == 0
    assert (FaceArchive.open(tmp_path / "again").faces == faces).all()
    other = fer(*command, "seed=1")
    assert other.returncode == 2
    assert "force=true" in other.stderr
    mixed = fer("train", *TINY, f"data.archive={archive}", "data.extra=[RUN/generated]")
    assert mixed.returncode == 0, mixed.stderr


@pytest.mark.slow
def test_generated_faces_fill_the_smaller_classes(fer: Fer, tmp_path: Path) -> None:
    real = small_archive(tmp_path / "faces", emotions=("happiness", "sadness", "happiness")).path
    fer("train", *TINY, f"data.archive={real}", "run_dir=RUN")
    shutil.rmtree(tmp_path / "faces")  # the checkpoint alone knows what is lacking
    command = ["generate", "run=RUN", "batch_size=8", "accelerator=cpu"]
    done = fer(*command, "fill=largest")
    assert done.returncode == 0, done.stderr
    assert "14 samples, 16 pixels: happiness 0, sadness 14" in done.stdout
    generated = FaceArchive.open(tmp_path / "RUN" / "generated")
    assert generated.column("emotion") == ["sadness"] * 14
    assert generated.manifest["counts"] == {"happiness": 0, "sadness": 14}
    assert "fill=largest" in generated.manifest["command"]
    small_archive(tmp_path / "faces", emotions=("happiness", "sadness", "happiness"))
    extra = "data.extra=[RUN/generated]"
    filled = fer("train", *TINY, f"data.archive={real}", extra, "run_dir=FILLED")
    assert filled.returncode == 0, filled.stderr
    results = json.loads((tmp_path / "FILLED" / "results.json").read_text())
    assert results["classes"] == {"happiness": 28, "sadness": 28}
    named = fer(*command, "counts.sadness=5", "counts.happiness=20", "archive=ALONE")
    assert named.returncode == 0, named.stderr
    alone = fer("train", *TINY, "data.archive=ALONE", "run_dir=SYNTHETIC")
    assert alone.returncode == 0, alone.stderr
    measured = fer(
        *("evaluate", "run=SYNTHETIC", "data=folder", "detector=whole_image"),
        *(f"data.archive={real}", "split=test", "feature=pixels", "accelerator=cpu"),
    )
    assert measured.returncode == 0, measured.stderr


@pytest.mark.slow
def test_force_never_replaces_what_is_no_archive(fer: Fer, archive: Path, tmp_path: Path) -> None:
    fer("train", *TINY, f"data.archive={archive}", "run_dir=RUN")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years")
    for place in ("mine", "RUN"):
        done = fer("generate", "run=RUN", "count=6", f"archive={place}", "force=true")
        assert done.returncode == 2
        assert f"{place} is no face archive" in done.stderr
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years"
    assert (tmp_path / "RUN" / "results.json").is_file()
    taken = fer("train", *TINY, f"data.archive={archive}", f"run_dir={archive}", "force=true")
    assert taken.returncode == 2
    assert (archive / "faces.npy").is_file()


@pytest.mark.slow
def test_a_diverging_run_stops_with_the_reason(fer: Fer, archive: Path, tmp_path: Path) -> None:
    done = fer("train", *TINY, f"data.archive={archive}", "run_dir=RUN",
               "model.generator_lr=1e30", "trainer.max_images=8000",
               "trainer.checkpoint_images=8")  # fmt: skip
    assert done.returncode == 2
    saved = torch.load(tmp_path / "RUN" / "checkpoints" / "last.ckpt", weights_only=True)
    assert all(torch.isfinite(weight).all() for weight in saved["state_dict"].values())
    (told,) = re.findall(r"^fer: error: (training (?:diverged|is frozen).*)$", done.stderr, re.M)
    assert (tmp_path / "RUN" / "error.txt").read_text().strip() == told
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_truncated_checkpoint_is_one_clear_error(fer: Fer, archive: Path, tmp_path: Path) -> None:
    command = ["train", *TINY, f"data.archive={archive}", "run_dir=RUN"]
    fer(*command)
    checkpoint = tmp_path / "RUN" / "checkpoints" / "last.ckpt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    done = fer(*command, "trainer.max_images=160")
    assert done.returncode == 2
    assert "delete it to start anew" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_checkpoint_holds_plain_data(fer: Fer, archive: Path, tmp_path: Path) -> None:
    fer("train", *TINY, f"data.archive={archive}", "run_dir=RUN")
    path = tmp_path / "RUN" / "checkpoints" / "last.ckpt"
    saved = torch.load(path, weights_only=True)
    assert saved["fer"]["images_seen"] == 80
    assert saved["fer"]["description"]["faces"]["classes"] == ["happiness", "sadness", "anger"]
