"""``fer prepare`` on drawn faces, killed at will, and on real data."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer_lightning.data.archive import FaceArchive
from tests.conftest import Fer
from tests.helpers.small import content


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_with_the_same_bytes(fer: Fer, tmp_path: Path) -> None:
    command = ["prepare", "data=drawn", "data.count=4000", "data.picture_size=64", "archive=OUT",
               "detector=whole_image", "image_size=32", "workers=2"]  # fmt: skip
    kills = 0
    moments = random.Random(0)
    for _ in range(10):
        process = subprocess.Popen(
            [sys.executable, "-m", "fer_lightning", *command],
            cwd=tmp_path,
            env=dict(os.environ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(moments.uniform(1.5, 5))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)  # the workers have to notice by themselves
            process.wait()
            kills += 1
    assert kills >= 3
    done = fer(*command)
    assert done.returncode == 0, done.stderr
    killed = content(tmp_path / "OUT")
    (tmp_path / "OUT").rename(tmp_path / "KILLED")
    assert fer(*command).returncode == 0
    assert content(tmp_path / "OUT") == killed
    time.sleep(1)
    places = (Path("/proc") / name / "cwd" for name in os.listdir("/proc") if name.isdigit())
    alive = [p for p in places if os.path.exists(p) and os.path.realpath(p) == str(tmp_path)]
    assert not alive  # a killed command leaves no worker behind


@pytest.mark.slow
def test_mtcnn_gives_the_same_bytes_whatever_the_workers(fer: Fer, tmp_path: Path) -> None:
    command = ["prepare", "data=drawn", "data.count=300", "image_size=48", "detector=mtcnn"]
    for workers in (1, 2):
        done = fer(*command, f"workers={workers}", f"archive=W{workers}")
        assert done.returncode == 0, done.stderr
    one, two = (content(tmp_path / f"W{workers}") for workers in (1, 2))
    assert {k: v for k, v in one.items() if k != "manifest.json"} == {
        k: v for k, v in two.items() if k != "manifest.json"
    }


@pytest.mark.slow
def test_ctrl_c_stops_soon_and_keeps_what_is_done(tmp_path: Path, fer: Fer) -> None:
    command = ["prepare", "data=drawn", "data.count=12000", "data.picture_size=64", "archive=OUT",
               "detector=whole_image", "image_size=32", "workers=2"]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "fer_lightning", *command],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    partial = tmp_path / "OUT.partial"
    while len(list(partial.glob("shard-*[0-9]"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert 2 <= len(list(partial.glob("shard-*[0-9]"))) < 20  # of 47


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    peaks = []
    for count in (500, 5000):
        command = [sys.executable, "-m", "fer_lightning", "prepare", "data=drawn", "workers=1",
                   f"data.count={count}", "data.picture_size=48", "detector=whole_image",
                   "image_size=96", f"archive=A{count}"]  # fmt: skip
        measure = (
            "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, "
            "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); "
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        done = subprocess.run(
            [sys.executable, "-c", measure, *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout) / 1024)
    faces = 4500 * 96 * 96 * 3 / 2**20  # what holding them all would add, in MiB
    assert peaks[1] - peaks[0] < faces / 4, peaks


@pytest.mark.slow
def test_two_commands_share_one_archive(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fer_lightning", "prepare", "data=drawn", "data.count=600",
               "data.picture_size=64", "detector=whole_image", "image_size=32"]  # fmt: skip
    both = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    last = [process.communicate(timeout=200)[0].splitlines()[-1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert last[0] == last[1]


@pytest.mark.slow
def test_a_full_disk_loses_nothing_and_names_the_remedy(fer: Fer, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("needs hardware: may not mount a tmpfs")
    command = ["prepare", "data=drawn", "data.count=600", "data.picture_size=64", "archive=small/a",
               "detector=whole_image", "image_size=64", "workers=1"]  # fmt: skip
    try:
        full = fer(*command)
        assert full.returncode == 2, full.stderr
        assert "cannot be written (No space left on device)" in full.stderr
        assert "Traceback" not in full.stderr
        subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
        done = fer(*command)
        assert done.returncode == 0, done.stderr
        assert len(FaceArchive.open(small / "a")) == 600
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.slow
def test_fer2013_is_whole(fer: Fer, fer2013_root: Path, tmp_path: Path) -> None:
    done = fer("prepare", "data=fer2013", f"data.root={fer2013_root}", "detector=whole_image",
               "image_size=64", "archive=OUT")  # fmt: skip
    assert done.returncode == 0, done.stderr
    archive = FaceArchive.open(tmp_path / "OUT")
    assert archive.faces.shape == (35_887, 64, 64, 1)
    splits = archive.column("split")
    assert {s: splits.count(s) for s in ("train", "val", "test")} == {
        "train": 28_709,
        "val": 3_589,
        "test": 3_589,
    }
    pairs = list(zip(splits, archive.column("emotion"), strict=True))
    order = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    counts = {s: [pairs.count((s, e)) for e in order] for s in ("train", "val", "test")}
    assert counts == {  # in the order of FER-2013
        "train": [3995, 436, 4097, 7215, 4830, 3171, 4965],
        "val": [467, 56, 496, 895, 653, 415, 607],
        "test": [491, 55, 528, 879, 594, 416, 626],
    }


@pytest.mark.slow
def test_photographs_in_the_wild_through_mtcnn(
    fer: Fer, muxspace_root: Path, tmp_path: Path
) -> None:
    done = fer("prepare", "data=table", f"data.root={muxspace_root}", "image_size=96",
               "detector=mtcnn", "archive=OUT")  # fmt: skip
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "OUT" / "manifest.json").read_text())
    source = sum(c["source"] for c in manifest["classes"].values())
    assert source == 1_993
    assert manifest["count"] / source >= 0.95
    assert set(FaceArchive.open(tmp_path / "OUT").column("emotion")) == set(manifest["classes"])
