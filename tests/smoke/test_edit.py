"""The real command edits drawn photographs with a model that it has trained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.editing.photograph import read_note
from tests.conftest import Fer

pytestmark = pytest.mark.slow

TRAIN = [
    "train",
    "experiment=smoke_ganmut",
    "detector=mtcnn",
    "data.count=140",
    "data.picture_size=128",
    "model.generator_width=4",
    "model.discriminator_width=4",
    "run_dir=RUN",
    "trainer.max_images=64",
    "trainer.progress=false",
    "logger=csv",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, and photographs of one and of two faces."""
    folder = tmp_path_factory.mktemp("trained")
    command = [sys.executable, "-m", "fer_lightning", *TRAIN]
    subprocess.run(command, cwd=folder, check=True, timeout=300)
    corpus = Drawn(count=14, picture_size=256, first_subject=5000)
    rows = corpus.rows()
    one, two = (corpus.load(row) for row in (rows[0], rows[8]))
    (folder / "photos").mkdir()
    Image.fromarray(one).save(folder / "photos" / "one.jpg")
    Image.fromarray(np.hstack([one, two])).save(folder / "photos" / "two.png")
    Image.fromarray(np.full((200, 200, 3), 128, np.uint8)).save(folder / "photos" / "wall.png")
    return folder


def test_a_photograph_with_its_sheet(trained: Path, fer: Fer) -> None:
    asked = ["run=RUN", "image=photos/two.png", "emotion=happiness", "intensity=0.8"]
    done = fer("edit", *asked, "faces=all", "sheet=true", cwd=trained)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "faces are found by mtcnn: as for the training"
    assert lines[-1] == "edited: RUN/edits/two-happiness0.8.png"
    target = trained / lines[-1].removeprefix("edited: ")
    note = read_note(target)
    assert note is not None
    assert note["command"] == "fer edit " + " ".join([*asked, "faces=all", "sheet=true"])
    assert len(note["faces"]) == 2
    before, after = (np.asarray(Image.open(p)) for p in (trained / "photos/two.png", target))
    assert after.shape == before.shape == (256, 512, 3)
    changed = (before != after).any(2)
    assert changed[:, :256].any()
    assert changed[:, 256:].any()
    assert not changed[:20].any()  # above the hair
    assert Image.open(target.with_name("two-happiness0.8-gamut.png")).width > 1500
    again = fer("edit", *asked, "faces=all", "sheet=true", cwd=trained)
    assert "1 done before" in again.stdout


def test_a_folder_and_a_point(trained: Path, fer: Fer) -> None:
    done = fer("edit", "run=RUN", "image=photos", "theta=1.5", "rho=0.4", "out=OUT", cwd=trained)
    assert done.returncode == 0, done.stderr
    (told,) = (line for line in done.stderr.splitlines() if "wall.png" in line)
    assert told.startswith("fer: warning: photos/wall.png: no face was found")
    assert done.stdout.splitlines()[-2:] == ["2 done, 1 skipped without a face", "edited: OUT"]
    assert sorted(path.name for path in (trained / "OUT").iterdir()) == ["one.jpg", "two.png"]


def test_training_draws_the_gamut_of_held_out_faces(trained: Path) -> None:
    (sheet,) = (trained / "RUN" / "samples").glob("*.png")
    assert sheet.name == "000000064.png"
    assert Image.open(sheet).width > 1500


def test_a_mistake_is_told_in_a_line(trained: Path, fer: Fer) -> None:
    done = fer("edit", "run=RUN", "image=photos/one.jpg", "blend.happines=0.6", cwd=trained)
    assert done.returncode == 2
    assert "did you mean blend.happiness?" in done.stderr
    done = fer("edit", "run=RUN", "image=photos/one.jpg", "rho=0.6", cwd=trained)
    assert done.returncode == 2
    assert "fer: error: rho is half a point: give theta=RADIANS rho=DISTANCE" in done.stderr
    assert "Traceback" not in done.stderr
