"""Two domains on the command line: a table of photographs, carried to FER-2013's folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.config import FaceFormat
from tests.conftest import Fer
from tests.helpers.layouts import fer2013
from tests.helpers.layouts.pictures import picture, write
from tests.helpers.runs import saved_run

KNOWN = ["happiness", "sadness", "fear", "anger"]
COMMAND = [
    "train",
    "model=egc_gan",
    "data@domains.source=table",
    "detector@domains.source.detector=mtcnn",
    "data@domains.target=fer2013",
    "detector@domains.target.detector=whole_image",
    "domains.source.root=photographs",
    "domains.target.root=fer",
    "model.classifier=judge",
    "domains.source.split.test=0",
    "domains.source.split.val=0",
    "domains.source.batch_size=4",
    "model.encoder=lite",
    "model.code_dim=4",
    "model.width=4",
    "image_size=32",
    "trainer.max_images=16",
    "trainer.progress=false",
    "logger=csv",
]


@pytest.fixture
def datasets(tmp_path: Path) -> Path:
    """Four photographs of each of four emotions, FER-2013, and a classifier's run."""
    emotions = ["happiness", "sadness", "fear", "contempt"]
    names = {f"{emotion}{i}.png": emotion for emotion in emotions for i in range(4)}
    lines = ["path,emotion", *(f"{name},{emotion}" for name, emotion in names.items())]
    files = {name: picture(emotion, 160, ".png") for name, emotion in names.items()}
    write(tmp_path / "photographs", {**files, "labels.csv": "\n".join(lines) + "\n"})
    fer2013.build(tmp_path / "fer")
    faces = FaceFormat(image_size=32, channels=1, classes=KNOWN, frequencies=[1] * len(KNOWN))
    saved_run(tmp_path / "judge", ClassifierConfig(width=2), faces)
    return tmp_path


@pytest.mark.slow
def test_two_datasets_are_trained_on_as_two_domains(fer: Fer, datasets: Path) -> None:
    done = fer(*COMMAND)
    assert done.returncode == 0, done.stderr
    (line,) = [t for t in done.stdout.splitlines() if t.startswith("classes of both domains:")]
    assert line.startswith("classes of both domains: happiness, sadness, fear; left out: 4 source")
    (folder,) = (datasets / "multirun" / "train").glob("egc_gan-table-to-fer2013-*-s0")
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert results["classes"] == {"happiness": 4, "sadness": 4, "fear": 4}
    assert results["target_classes"] == {"happiness": 2, "sadness": 2, "fear": 2}
    left_out = results["excluded_classes"]
    assert left_out["source"] == {"contempt": {"images": 4, "reason": "not in domains.target"}}
    assert left_out["target"].keys() == {"neutral", "surprise", "disgust", "anger"}
    assert len(results["archives"]) == 2
    recorded = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    assert "data" not in recorded
    assert recorded["domains"]["source"]["detector"]["name"] == "mtcnn"
    again = fer(*COMMAND)
    assert again.returncode == 0
    assert "this run is finished" in again.stdout


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["data=drawn"], "data=drawn has no effect beside domains"),
        (["data.batch_size=8"], "data.batch_size=8 has no effect beside domains"),
        pytest.param(
            ["domains.source.root=null"],
            "data@domains.source=table needs domains.source.root=DIR",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["domains.target.root=nowhere"],
            "domains.target.root=nowhere: there is no such folder",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_mistakes_are_told_in_a_line(
    fer: Fer, datasets: Path, overrides: list[str], told: str
) -> None:
    done = fer(*COMMAND, "detector@domains.source.detector=whole_image", *overrides)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"fer: error: {told}")
    assert "Traceback" not in done.stderr


def test_a_key_of_a_domain_that_is_not_chosen_names_the_choice(fer: Fer) -> None:
    done = fer("train", "domains.source.batch_size=8")
    assert done.returncode == 2
    assert "pass data@domains.source=NAME, too" in done.stderr
    assert "Traceback" not in done.stderr
