"""Paper D's studies from start to page, on drawn folders in the layouts of datasets not at hand."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Fer
from tests.helpers.layouts import celeba, enhanced_ck, kdef, raf_db, rafd, sfew

TINY = [
    "model.generator_width=4",
    "model.discriminator_width=4",
    "data.batch_size=8",
    "trainer.max_images=16",
    "trainer.accelerator=cpu",
    "logger=csv",
    "detector.no_face=centre_crop",
]
PROBE = [
    "layer=discriminator.block4",
    "probe.folds=2",
    "probe.inner_folds=2",
    "probe.evaluations=2",
    "accelerator=cpu",
    "detector.no_face=centre_crop",
]
STAGES: dict[str, dict[str, list[str]]] = {
    "paper_d_emotions": {"emotions": [*PROBE, "task=emotion"]},
    "paper_d_aus": {"units": [*PROBE, "task=au", "detector=viola_jones"]},
    "paper_d_generation": {
        "measure": [
            "run=cell:dcgan",
            "split=all",
            "evaluation.ssim=true",
            "feature=pixels",
            "accelerator=cpu",
        ]
    },
}
"""Overrides of the stages that are no trainings: those of the study, small."""

SHORT_ARMS = {
    "frontal": ["data.cameras=[90]", "detector=viola_jones"],
    "multi_view": ["data.gazes=[frontal]", "detector=mtcnn"],
}
"""Arms that state a length of their own, without it."""

ROWS = {
    "paper_d_emotions": [f"E{number}" for number in range(1, 9)],
    "paper_d_aus": [f"E{number}" for number in range(1, 9)],
    "paper_d_generation": ["frontal", "multi_view"],
}


@pytest.fixture
def layouts(tmp_path: Path) -> Path:
    """A folder for ``FER_DATA``."""
    data = tmp_path / "data"
    rafd.build(data / "rafd", size=160)
    celeba.build(data / "celeba", size=160)
    raf_db.build(data / "raf_db", size=160)
    kdef.build(data / "kdef", size=160)
    sfew.build(data / "sfew", size=160)
    enhanced_ck.build(data / "ck_plus", size=160)
    return data


def compared(fer: Fer, name: str, layouts: Path, folder: Path) -> tuple[list[dict[str, Any]], str]:
    """The study's table and page, once all its cells are done."""
    file = folder / "conf" / "study" / "tiny.yaml"
    file.parent.mkdir(parents=True)
    stages: dict[str, Any] = {stage: {"overrides": own} for stage, own in STAGES[name].items()}
    if name == "paper_d_generation":
        stages["dcgan"] = {"arms": SHORT_ARMS}
    small = {"defaults": [name, "_self_"], "name": name, "seeds": [0], "stages": stages}
    file.write_text(yaml.safe_dump(small, sort_keys=False))
    arguments = ["study", "--config-dir", str(folder / "conf"), "study=tiny"]
    done = fer(*arguments, f"train=[{','.join(TINY)}]", cwd=folder, FER_DATA=str(layouts))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    done = fer("compare", f"study={name}", "out=OUT", cwd=folder)
    assert done.returncode == 0, done.stderr
    with (folder / "OUT" / "results.csv").open(newline="") as table:
        return list(csv.DictReader(table)), (folder / "OUT" / "comparison.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("name", list(STAGES))
def test_every_row_is_measured_beside_the_paper(
    name: str, fer: Fer, layouts: Path, tmp_path: Path
) -> None:
    rows, page = compared(fer, name, layouts, tmp_path)
    assert [row["arm"] for row in rows] == ROWS[name]
    assert {row["seeds"] for row in rows} == {"0"}
    assert "## Beside the paper" in page
    assert "failed" not in page
    if name == "paper_d_emotions":
        assert all(0 <= float(row["probe_accuracy_random_mean"]) <= 1 for row in rows)
        grouped = [row["arm"] for row in rows if row["probe_accuracy_grouped_mean"]]
        assert grouped == ["E1", "E2", "E3", "E4", "E5", "E7"]
        assert "share (printed: 98.57 %)" in page
        assert "besides: 1 training of stage dcgan_celeba" in page
    if name == "paper_d_aus":
        across = [row["arm"] for row in rows if row["probe_au_auc_mean"]]
        assert across == ["E4", "E5", "E7", "E8"]
        assert [row["arm"] for row in rows if row["probe_au_auc_random_mean"]] == [
            row["arm"] for row in rows if row["arm"] not in across
        ]
        assert "stand in for the RPI ISL Enhanced Cohn-Kanade" in page
    if name == "paper_d_generation":
        assert all(float(row["frechet_pixels_mean"]) > 0 for row in rows)
        assert all(float(row["ssim_nearest_mean"]) <= 1 for row in rows)
        assert "AMT" in page
