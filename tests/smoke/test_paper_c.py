"""Paper C's study from start to page, on drawn folders in the layouts of datasets not at hand."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Fer
from tests.helpers.layouts import faces, jaffe, oulu_casia

TINY = [
    "image_size=64",
    "trainer.max_images=16",
    "trainer.accelerator=cpu",
    "logger=csv",
    "detector.no_face=centre_crop",
]
"""Of every training."""
CLASSIFIER = [
    "experiment=classifier_paper_c",
    "model.network=paper_b",
    "model.width=4",
    "data.batch_size=8",
    "data.split.val=0.4",
    "data.split.test=0",
]
GAN = [
    "experiment=egc_gan_paper_c",
    "model.code_dim=8",
    "model.width=4",
    "domains.source.batch_size=8",
    "domains.target.people=2",
]
NETWORKS = {"model.network": ["paper_b", "vgg_fer"]}
SCHEMES = {"frames": "stratified", "subjects": "subject"}
ARMS = ["frames_all", "frames_held_out", "subjects_all", "subjects_held_out"]
EMOTIONS = ["anger", "disgust", "fear", "happiness", "sadness", "surprise"]


def tiny() -> dict[str, Any]:
    """The study with two small networks that judge, and one seed."""
    stages: dict[str, Any] = {
        "gan": {"overrides": GAN},
        "evaluate": {"overrides": ["run=cell:gan", "accelerator=cpu"]},
    }
    for name, scheme in SCHEMES.items():
        overrides = [*CLASSIFIER, f"data.split.scheme={scheme}"]
        stages[f"in_loss_{name}"] = {"overrides": overrides}
        stages[f"judges_{name}"] = {"overrides": overrides, "axes": NETWORKS}
    return {"defaults": ["paper_c", "_self_"], "name": "paper_c", "seeds": [0], "stages": stages}


def number(row: dict[str, str], metric: str) -> float:
    """A mean by its metric, which has the part behind its name where parts differ in it."""
    part = "all" if row["arm"].endswith("_all") else "test"
    return float(row.get(f"{metric}[{part}]_mean") or row[f"{metric}_mean"])


@pytest.mark.slow
def test_faces_are_judged_before_and_after_beside_the_paper(fer: Fer, tmp_path: Path) -> None:
    data = tmp_path / "data"
    oulu_casia.build(data / "oulu_casia", size=160)
    faces.build(data / "faces", size=160)
    jaffe.build(data / "jaffe", size=160)
    file = tmp_path / "conf" / "study" / "tiny.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump(tiny(), sort_keys=False))
    arguments = ["study", "--config-dir", str(tmp_path / "conf"), "study=tiny"]
    done = fer(*arguments, f"train=[{','.join(TINY)}]", cwd=tmp_path, FER_DATA=str(data))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    done = fer("compare", "study=paper_c", "out=OUT", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "OUT" / "results.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    page = (tmp_path / "OUT" / "comparison.md").read_text()
    assert [row["arm"] for row in rows] == ARMS
    for row in rows:
        before, after, gain = (number(row, name) for name in ("tpr_before", "tpr_after", "gain"))
        assert 0 <= before <= 1
        assert 0 <= after <= 1
        assert gain == pytest.approx(after - before)
        assert number(row, "gain_worst") <= gain
        assert number(row, "tpr_before_sd") >= 0
        if row["arm"].endswith("_all"):
            shares = [number(row, f"predicted_after/{name}") for name in EMOTIONS]
            assert sum(shares) == pytest.approx(1)
    assert "failed" not in page
    assert "share (printed: 49.39 %)" in page
    assert "Not the mean of the classes" in page
    assert "(transductive)" in page  # of the arms whose GAN has seen what is tested
    assert "stood in the model's loss" not in page
