"""The real command measures edits: once, by several classifiers, or by none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from fer_lightning.checkpoints import checkpoint_of, load_model
from fer_lightning.cli import main
from fer_lightning.models.ganmut.config import Space
from fer_lightning.models.ganmut.module import GANmut
from fer_lightning.models.ganmut.official import generator_weights
from tests.unit.models.ganmut.test_official import OfficialGenerator

pytestmark = pytest.mark.slow

SHORT = ["trainer.max_images=64", "trainer.progress=false", "logger=csv"]
COMMANDS = [
    ["train", "experiment=smoke_ganmut", "run_dir=RUN", *SHORT],
    ["train", "experiment=smoke_classifier", "run_dir=GRAY", *SHORT],
    # On the very archive of the first.
    ["train", "experiment=smoke_classifier", "channels=3", "data.count=280", "run_dir=OWN", *SHORT],
]
EVALUATE = ["evaluate", "run=RUN", "accelerator=cpu", "editing.curve_faces=3"]

Here = Callable[..., tuple[int, str, str]]


def command(folder: Path, *arguments: str) -> str:
    """What a command of its own prints."""
    words = [sys.executable, "-m", "fer_lightning", *arguments]
    return subprocess.run(
        words, cwd=folder, check=True, timeout=300, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    for arguments in COMMANDS:
        command(folder, *arguments)
    return folder


@pytest.fixture
def here(
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Here:
    """The command line in this process, in a copy of the trained runs."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main(arguments)
        return status, *capfd.readouterr()

    return call


def test_edits_are_measured_once_and_compared(here: Here, tmp_path: Path) -> None:
    arguments = [*EVALUATE, "editing.classifiers=[GRAY]"]
    out = command(tmp_path, *arguments)
    (path,) = (tmp_path / "RUN" / "evaluations").glob("*.json")
    assert path.name.startswith("evaluate-drawn-test-")
    written = path.read_bytes()
    content = json.loads(written)
    metrics, protocol = content["metrics"], content["protocol"]
    wanted = {"macro_f1", "macro_f1_real", "fed", "critic_f1", "critic_f1_real", "critic_f1_fake",
              "critic_auc", "reconstruction_ssim", "identity_ssim", "intensity_rank",
              "intensity_rank/fear", "intensity_reader", "smoothness_skipped"}  # fmt: skip
    assert wanted <= {*metrics}
    assert ("smoothness" in metrics) != ("smoothness" in protocol["left_out"])
    assert protocol["count"] == 28
    assert protocol["reader"]["people_in_both"] > 0
    assert "the reader has learnt from" in out
    table = pq.read_table(path.with_suffix(".parquet")).to_pydict()
    right = [t == p for t, p in zip(table["target"], table["predicted_edit_1"], strict=True)]
    assert sum(right) / 28 == pytest.approx(metrics["accuracy"])
    for suffix in (".png", "-confusion-1.png"):
        assert Image.open(path.with_name(path.stem + suffix)).width > 500
    _, again, _ = here(*arguments)
    assert "this was measured before" in again
    assert again.splitlines()[1:] == out.splitlines()
    assert path.read_bytes() == written
    status, _, errors = here("compare", "runs=[RUN]", "out=tables")
    assert status == 0, errors
    page = (tmp_path / "tables" / "comparison.md").read_text(encoding="utf-8")
    assert "macro_f1_real" in page


def test_several_classifiers_have_a_spread(here: Here, tmp_path: Path) -> None:
    judges = "editing.classifiers=[GRAY,OWN]"
    status, out, errors = here(*EVALUATE, "split=all", "editing.count=70", judges)
    assert status == 0, errors
    (path,) = (tmp_path / "RUN" / "evaluations").glob("*.json")
    content = json.loads(path.read_text())
    scores = [each["macro_f1"] for each in content["classifiers"]]
    assert content["metrics"]["macro_f1"] == pytest.approx(sum(scores) / 2)
    assert [content["metrics"][f"macro_f1_{m}"] for m in (1, 2)] == scores
    seen = [each["seen"] for each in content["protocol"]["classifiers"]]
    people = [each["people_seen"] for each in content["protocol"]["classifiers"]]
    # The first was shown the same pictures, smaller and gray.
    assert seen[0] > 40
    assert people[0] > 10
    assert f"GRAY was trained on {seen[0]} of these faces and faces of {people[0]} of" in out
    assert seen[1] == content["protocol"]["trained_on"]["seen"] > 40
    assert f"OWN was trained on {seen[1]} of these faces and faces of {people[1]} of" in out
    assert "classifier 2: macro F1 " in out


def test_without_classifiers_the_rest_is_measured(here: Here) -> None:
    status, out, errors = here(*EVALUATE, "split=val")
    assert status == 0, errors
    assert "critic_auc" in out
    assert "macro_f1, fed, smoothness and intensity_rank are what a classifier says" in out
    assert "pass editing.classifiers=[RUN,RUN]" in out


def test_official_weights_become_a_run_that_is_measured(here: Here, tmp_path: Path) -> None:
    official = OfficialGenerator(Space.linear).state_dict()
    torch.save(official, "G.ckpt")
    start = ["experiment=smoke_ganmut", "model.generator_width=4", "model.critic_steps=5",
             "model.ema_half_life=100", "trainer.max_images=16", *SHORT[1:],
             "run_dir=OFFICIAL"]  # fmt: skip
    unseen = ["data.count=42", "model.official_weights=NO.ckpt"]
    status, out, errors = here("train", *start, *unseen)
    assert status == 2
    assert "fer: error: model.official_weights=NO.ckpt: there is no such file; give the" in errors
    assert "near-duplicates" not in out + errors  # which is told of faces that were cut for it
    status, _, errors = here("train", *start, "model.official_weights=G.ckpt")
    assert status == 0, errors
    module = load_model(checkpoint_of(tmp_path / "OFFICIAL"))
    assert isinstance(module, GANmut)
    assert module.images_seen == 16
    for network in (module.generator, module.best_generator):
        weights = network.state_dict()
        for name, value in generator_weights(official).items():
            assert torch.equal(weights[name], value), name
    status, out, errors = here("evaluate", "run=OFFICIAL", "accelerator=cpu", "split=val")
    assert status == 0, errors
    assert "critic_auc" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["evaluation.count=3"], "evaluation.* is for generating models; a model that edits"),
        (["translation.seed=1"], "translation.* is for models that translate; a model that edits"),
        (["feature=pixels"], "feature=pixels is for generating models"),
        (["run=GRAY", "editing.seed=1"], "editing.* is for models that edit; a classifier"),
        (["editing.intensity=2"], "editing.intensity=2"),
        (["editing.classifiers=[RUN]"], "editing.classifiers=RUN is no classifier"),
        (["editing.classifiers=[GRAY,GRAY]"], "GRAY and GRAY are one classifier"),
        (["editing.classifiers=[NO]"], "editing.classifiers=NO: there is no checkpoints"),
    ],
)
def test_mistakes_are_told_in_a_line(
    here: Here, tmp_path: Path, arguments: list[str], told: str
) -> None:
    run = [] if arguments[0].startswith("run=") else ["run=RUN"]
    status, _, errors = here("evaluate", "accelerator=cpu", *run, *arguments)
    assert status == 2
    assert f"fer: error: {told}" in errors or f": {told}" in errors
    assert "Traceback" not in errors
    assert not list((tmp_path / "RUN").glob("evaluations/*.json"))
