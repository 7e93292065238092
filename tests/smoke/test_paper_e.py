"""Paper E's study from start to page, on drawn folders in the layouts of datasets not at hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from fer_lightning.cli import conf_dir
from fer_lightning.detectors.retinaface import VARIABLE, Backbone
from fer_lightning.detectors.retinaface_network import RetinaFaceNetwork
from tests.conftest import Fer
from tests.helpers.layouts import aff_wild2, affectnet

TINY = [
    "image_size=32",
    "data.batch_size=8",
    "trainer.max_images=16",
    "trainer.accelerator=cpu",
    "logger=csv",
    "detector.no_face=centre_crop",
]
"""Of every training."""
JUDGE = [
    "model.pretrained=false",
    "model.trained_blocks=null",
    "model.hidden=0",
    "model.width=4",
]
"""Small judges without ImageNet's weights."""
NETWORKS = {"model.network": ["paper_b", "vgg_fer"]}
NARROW = [
    "model.critic_steps=1",
    "model.generator_width=4",
    "model.generator_blocks=1",
    "model.discriminator_width=4",
    "model.depth=4",
]
SMALL = ["accelerator=cpu", "detector.no_face=centre_crop", "editing.curve_faces=1"]
ARMS = ["aff_wild2_mtcnn", "aff_wild2_retinaface", "combined_retinaface", "combined_mtcnn"]
"""The baseline comes first."""
VIDEOS = {"video1": ("Train", [*range(7)] * 10), "video2": ("Validation", [*range(7)] * 5)}
"""Each fifth frame, which the study takes, shows another emotion."""


def tiny(study: dict[str, Any]) -> dict[str, Any]:
    """The study with one seed, and more overrides of its stages."""
    judges = ("judges_retinaface", "judges_mtcnn")
    more = {**dict.fromkeys(judges, JUDGE), "ganmut": NARROW, "evaluate": SMALL}
    stages: dict[str, Any] = {
        name: {"overrides": [*study["stages"][name]["overrides"], *own]}
        for name, own in more.items()
    }
    for name in judges:
        stages[name]["axes"] = NETWORKS
    return {"defaults": ["paper_e", "_self_"], "name": "paper_e", "seeds": [0], "stages": stages}


def judges(folder: Path, arm: str) -> list[str]:
    """Networks of the classifiers that judged an arm, as they are numbered."""
    (study,) = (folder / "multirun" / "study").glob("paper_e-*/study.json")
    cells = json.loads(study.read_text())["cells"]
    (path,) = (c["path"] for c in cells if c["stage"] == "evaluate" and c["axes"]["arm"] == arm)
    found = json.loads((folder / path).read_text())["classifiers"]
    configs = (yaml.safe_load((folder / one["run"] / "config.yaml").read_text()) for one in found)
    return [config["model"]["network"] for config in configs]


@pytest.mark.slow
def test_edits_are_judged_beside_the_paper(fer: Fer, tmp_path: Path) -> None:
    data, weights = tmp_path / "data", tmp_path / "retinaface.pth"
    aff_wild2.build(data / "aff_wild2", crops=False, videos=True, annotated=VIDEOS)
    affectnet.build_sets(data / "affectnet")
    torch.save(RetinaFaceNetwork(Backbone.mobilenet025).state_dict(), weights)
    file = tmp_path / "conf" / "study" / "tiny.yaml"
    file.parent.mkdir(parents=True)
    study = yaml.safe_load((conf_dir() / "study" / "paper_e.yaml").read_text())
    file.write_text(yaml.safe_dump(tiny(study), sort_keys=False))
    arguments = ["study", "--config-dir", str(tmp_path / "conf"), "study=tiny"]
    places = {"FER_DATA": str(data), VARIABLE: str(weights)}
    done = fer(*arguments, f"train=[{','.join(TINY)}]", cwd=tmp_path, **places)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    done = fer("compare", "study=paper_e", "out=OUT", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "OUT" / "results.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    page = (tmp_path / "OUT" / "comparison.md").read_text()
    assert [row["arm"] for row in rows] == ARMS
    for row in rows:
        for judge in ("1", "2"):
            assert 0 <= float(row[f"macro_f1_{judge}_mean"]) <= 1
            assert 0 <= float(row[f"macro_f1_real_{judge}_mean"]) <= 1
            assert float(row[f"fed_{judge}_mean"]) >= 0
        halves = [float(row[f"critic_f1_{kind}_mean"]) for kind in ("real", "fake")]
        assert float(row["critic_f1_mean"]) == pytest.approx(sum(halves) / 2)
    distances = {row["arm"]: row["fed_1_mean"] for row in rows}
    assert distances["aff_wild2_mtcnn"] != distances["combined_mtcnn"]  # other faces, other edits
    assert "failed" not in page
    for number in ("I", "II", "III", "IV", "V"):
        assert f"**Paper E, Table {number}.**" in page
    assert "(E/II/ResNet/Combined)" in page
    assert "] The mean of real and fake is 0.205: recompute." in page
    assert {row["smoothness_skipped_1_mean"] for row in rows} == {"6.0"}  # nothing is learnt yet
    assert "(E/IV/Combined MTCNN/ResNet)" in page
    assert "Half of AffectNet is lost with RetinaFace" in page
    for name in ("aff_wild2", "combined"):
        for detector in ("mtcnn", "retinaface"):
            assert judges(tmp_path, f"{name}_{detector}") == ["paper_b", "vgg_fer"]
    assert "besides: 2 trainings of stage judges_mtcnn" in page
