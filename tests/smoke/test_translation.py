"""The real command measures translations: once, by several classifiers, on other faces."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from fer_lightning.cli import main

pytestmark = pytest.mark.slow

SHORT = ["trainer.progress=false", "logger=csv"]
COMMANDS = [
    ["train", "experiment=smoke_egc_gan", "run_dir=RUN", "trainer.max_images=160", *SHORT],
    ["train", "experiment=smoke_classifier", "seed=1", "run_dir=OTHER", "trainer.max_images=64",
     *SHORT],
]  # fmt: skip
EVALUATE = ["evaluate", "run=RUN", "accelerator=cpu"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A translator, the classifier in its loss, and another one; tests work on copies."""
    folder = tmp_path_factory.mktemp("trained")
    for arguments in COMMANDS:
        command = [sys.executable, "-m", "fer_lightning", *arguments]
        subprocess.run(command, cwd=folder, check=True, timeout=300)
    return folder


@dataclass
class Here:
    """The command line in this process, in a copy of the trained runs."""

    capture: pytest.CaptureFixture[str]
    folder: Path

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.capture.readouterr()
        status = main(arguments)
        return status, *self.capture.readouterr()

    def written(self) -> list[Path]:
        return sorted((self.folder / "RUN" / "evaluations").glob("*.json"))


@pytest.fixture
def here(
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Here:
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Here(capfd, tmp_path)


def test_translations_are_measured_once_and_compared(here: Here) -> None:
    status, out, errors = here(*EVALUATE)
    assert status == 0, errors
    assert "stood in the model's loss" in out
    (path,) = here.written()
    assert path.name.startswith("evaluate-drawn-test-")
    written = path.read_bytes()
    content = json.loads(written)
    metrics, protocol = content["metrics"], content["protocol"]
    assert protocol["count"] == sum(protocol["classes"].values()) == 42
    assert [each["in_loss"] for each in protocol["classifiers"]] == [True]
    gains = [value for name, value in metrics.items() if name.startswith("gain/")]
    assert metrics["gain_worst"] == pytest.approx(min(gains))
    assert metrics["gain"] == pytest.approx(metrics["tpr_after"] - metrics["tpr_before"])
    assert sum(v for n, v in metrics.items() if n.startswith("predicted_after/")) == (
        pytest.approx(1)
    )
    assert "tpr_after_sd" not in metrics
    table = pq.read_table(path.with_suffix(".parquet")).to_pydict()
    right = [t == p for t, p in zip(table["emotion"], table["predicted_after_1"], strict=True)]
    assert sum(right) / 42 == pytest.approx(metrics["tpr_after"])
    for suffix in (".png", "-answers.png"):
        assert Image.open(path.with_name(path.stem + suffix)).width > 500
    _, again, _ = here(*EVALUATE)
    assert "this was measured before" in again
    assert again.splitlines()[1:] == out.splitlines()
    assert path.read_bytes() == written
    status, _, errors = here("compare", "runs=[RUN]", "out=tables")
    assert status == 0, errors
    page = (here.folder / "tables" / "comparison.md").read_text(encoding="utf-8")
    assert "tpr_after" in page
    assert "stood in the model's loss" in page


def test_several_classifiers_have_a_spread(here: Here) -> None:
    status, out, errors = here(
        *EVALUATE, "split=all", "translation.classifiers=[experiment:smoke_classifier,OTHER]"
    )
    assert status == 0, errors
    (path,) = here.written()
    content = json.loads(path.read_text())
    assert [each["in_loss"] for each in content["protocol"]["classifiers"]] == [True, False]
    rates = [each["tpr_after"] for each in content["classifiers"]]
    assert content["metrics"]["tpr_after"] == pytest.approx(sum(rates) / 2)
    spread = abs(rates[0] - rates[1]) / 2**0.5
    assert content["metrics"]["tpr_after_sd"] == pytest.approx(spread)
    assert "classifier 2: tpr " in out
    assert "learnt to translate 336 of these faces" in out


def test_other_faces_are_translated_also_without_the_runs_own(here: Here) -> None:
    others = ["data=drawn", "data.count=35", "data.seed=7", "data.first_subject=5000",
              "data.picture_size=64", "detector=whole_image", "split=all"]  # fmt: skip
    status, out, errors = here(*EVALUATE, *others)
    assert status == 0, errors
    assert "35 faces, all of drawn" in out
    (path,) = here.written()
    whole = Image.open(path.with_suffix(".png")).width
    config = here.folder / "RUN" / "config.yaml"
    plain = yaml.safe_load(config.read_text())
    plain["domains"]["target"]["archive"] = "/no/where"
    config.write_text(yaml.safe_dump(plain))
    status, _, errors = here(*EVALUATE)
    assert status == 2
    assert "domains.target.archive=/no/where: there is no such folder" in errors
    assert "pass data=" in errors
    status, out, errors = here(*EVALUATE, *others, "force=true")
    assert status == 0, errors
    assert "whether the model was trained on these faces is unknown" in out
    (other,) = (each for each in here.written() if each != path)
    assert Image.open(other.with_suffix(".png")).width < whole


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["evaluation.count=3"], "evaluation.* is for generating models; a model that translates"),
        (["recognition.flip=true"], "recognition.* is for classifiers; a model that translates"),
        (["feature=pixels"], "feature=pixels is for generating models"),
        (["run=OTHER", "translation.seed=1"], "translation.* is for models that translate; a cla"),
        (["translation.batch_size=0"], "translation.batch_size=0: give at least 1"),
        (["translation.classifiers=OTHER"], "translation.classifiers=OTHER: give a list"),
        (["translation.classifiers=[RUN]"], "translation.classifiers=RUN is no classifier"),
        (["translation.classifiers=[OTHER,OTHER]"], "OTHER and OTHER are one classifier"),
        (["translation.classifiers=[NO]"], "translation.classifiers=NO: there is no checkpoints"),
    ],
)
def test_mistakes_are_told_in_a_line(here: Here, arguments: list[str], told: str) -> None:
    run = [] if arguments[0].startswith("run=") else ["run=RUN"]
    status, _, errors = here("evaluate", "accelerator=cpu", *run, *arguments)
    assert status == 2
    assert f"fer: error: {told}" in errors or f": {told}" in errors
    assert "Traceback" not in errors
    assert not here.written()
