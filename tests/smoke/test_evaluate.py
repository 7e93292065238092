"""The real command: measure a run, find it measured, and clear words for every mistake."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

from fer_lightning.data.fingerprint import file_digest
from fer_lightning.jobs import evaluate
from tests.conftest import Fer
from tests.helpers.small import class_folders, small_archive
from tests.smoke.conftest import Here

EVALUATE = ["evaluate", "run=RUN", "accelerator=cpu"]


@pytest.mark.slow
def test_a_run_is_measured_once(fer: Fer, here: Here, run: Path) -> None:
    command = [*EVALUATE, "feature=pixels", "feature.side=8"]
    done = fer(*command)
    assert done.returncode == 0, done.stderr
    path = run.parent / done.stdout.splitlines()[-1].removeprefix("evaluation: ")
    assert path.parent == run / "evaluations"
    assert path.name.startswith("evaluate-small-test-")
    written = path.read_bytes()
    content = json.loads(written)
    assert content["job"] == "evaluate"
    assert content["metrics"]["frechet_pixels"] > 0
    assert content["metrics"]["frechet_pixels/anger"] > 0
    assert content["protocol"]["features"][0]["side"] == 8
    assert content["images_seen"] == 16
    assert content["versions"]["torchmetrics"]
    assert content["archives"][0]["key"] == content["protocol"]["archives"][0]
    assert Image.open(path.with_suffix(".png")).width > 600
    _, again, _ = here(*command)
    assert "this was measured before" in again
    assert again.splitlines()[-1] == done.stdout.splitlines()[-1]
    assert path.read_bytes() == written
    _, forced, _ = here(*command, "force=true")
    assert "measured before" not in forced
    assert path.read_bytes() != written
    assert json.loads(path.read_bytes())["metrics"] == content["metrics"]
    status, _, _ = here(*command, "evaluation.seed=1", "split=val")
    assert status == 0
    assert len(list(path.parent.glob("*.json"))) == 2


@pytest.mark.slow
def test_offline_the_other_metrics_go_on(fer: Fer, run: Path, tmp_path: Path) -> None:
    proxy = "http://127.0.0.1:9"  # nobody listens there, also where there is a network
    done = fer(*EVALUATE, TORCH_HOME=str(tmp_path / "empty"), https_proxy=proxy, HTTPS_PROXY=proxy)
    assert done.returncode == 0, done.stderr
    assert "fer: warning: feature=inception" in done.stderr
    assert "feature.weights=PATH" in done.stderr
    assert "Traceback" not in done.stderr
    (path,) = (run / "evaluations").glob("*.json")
    content = json.loads(path.read_text())
    assert set(content["protocol"]["skipped"]) == {"inception"}
    assert "frechet_pixels" in content["metrics"]
    assert not any(name.startswith(("fid", "kid")) for name in content["metrics"])


def test_other_faces_are_matched_by_name(here: Here, run: Path) -> None:
    root = class_folders(run.parent / "others", each=12)
    (root / "fear").mkdir()
    for number, picture in enumerate((root / "anger").iterdir()):
        shutil.copy(picture, root / "fear" / f"{number}.png")
    command = [*EVALUATE, "feature=pixels", "data=folder", f"data.root={root}",
               "detector=whole_image", "split=train"]  # fmt: skip
    status, out, errors = here(*command)
    assert status == 0, errors
    assert "left out, since the model does not know them: {'fear': 10}" in out
    (path,) = (run / "evaluations").glob("evaluate-folder-train-*.json")
    content = json.loads(path.read_text())
    assert content["protocol"]["classes"] == {"happiness": 10, "sadness": 10, "anger": 10}
    assert content["metrics"]["nearest_train_pixels_real"] > 0


def test_without_the_training_faces_others_can_be_measured(here: Here, run: Path) -> None:
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["data"]["archive"] = "/no/where"
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    status, _, errors = here(*EVALUATE, "feature=pixels")
    assert status == 2
    assert "data.archive=/no/where: there is no such folder" in errors
    assert "pass data=" in errors
    small_archive(run.parent / "others", count=60, seed=5)
    status, _, errors = here(*EVALUATE, "feature=pixels", "data=folder", "data.archive=others")
    assert status == 0, errors
    assert "copies of training images are not looked for" in errors
    (path,) = (run / "evaluations").glob("*.json")
    assert "copied_pixels" not in json.loads(path.read_text())["metrics"]


@pytest.mark.parametrize("scheme", ["auto", "official"])
def test_no_image_of_a_pure_test_set_is_dropped(here: Here, run: Path, scheme: str) -> None:
    root = class_folders(run.parent / "others", each=6)
    (root / "sadness").rename(root / "fear")
    shutil.rmtree(root / "happiness")
    rows = "".join(f"{p.relative_to(root)},{p.parent.name},test\n" for p in root.glob("*/*.png"))
    (root / "faces.csv").write_text(f"path,emotion,split\n{rows}")
    command = [*EVALUATE, "feature=pixels", "data=table", f"data.root={root}",
               "data.table=faces.csv", "data.columns.split=split", "detector=whole_image",
               f"data.split.scheme={scheme}"]  # fmt: skip
    status, out, errors = here(*command)
    assert status == 0, errors
    assert "6 of the 12 labelled images of table were measured" in out
    assert "does not know them: {'fear': 6}" in out
    (path,) = (run / "evaluations").glob("*.json")
    content = json.loads(path.read_text())
    assert content["protocol"]["classes"] == {"happiness": 0, "sadness": 0, "anger": 6}


def test_a_folder_is_measured_whole_on_demand(here: Here, run: Path) -> None:
    root = class_folders(run.parent / "others", each=20)
    command = [*EVALUATE, "feature=pixels", "data=folder", f"data.root={root}",
               "detector=whole_image"]  # fmt: skip
    _, out, _ = here(*command)
    assert "6 of the 60 labelled images of folder were measured; split=all takes every one" in out
    _, out, _ = here(*command, "split=all")
    assert "60 of the 60 labelled images of folder were measured\n" in out
    assert "fewer images than dimensions" in out
    assert "evaluate-folder-all-" in out


def test_a_checkpoint_published_meanwhile_changes_nothing(
    here: Here, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = run / "checkpoints" / "last.ckpt"
    loaded = file_digest(checkpoint)
    chosen = evaluate.chosen_device

    def publish(accelerator: str) -> torch.device:
        later = torch.load(checkpoint, weights_only=True)
        later["fer"]["images_seen"] = 99
        torch.save(later, checkpoint)
        return chosen(accelerator)

    monkeypatch.setattr(evaluate, "chosen_device", publish)
    status, _, errors = here(*EVALUATE, "feature=pixels")
    assert status == 0, errors
    assert file_digest(checkpoint) != loaded
    (path,) = (run / "evaluations").glob("*.json")
    content = json.loads(path.read_text())
    assert (content["images_seen"], content["checkpoint"]) == (16, loaded)
    assert content["protocol"]["checkpoint"] == loaded


def test_faces_that_have_changed_since_are_refused(here: Here, run: Path) -> None:
    small_archive(run.parent / "changed", count=180, seed=9)
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["data"]["archive"] = str(run.parent / "changed")
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    status, _, errors = here(*EVALUATE, "feature=pixels")
    assert status == 2
    assert "holds other faces than those that the run was trained on" in errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run=TYPO"], "run=TYPO: there is no checkpoints/last.ckpt"),
        (["run=RUN", "split=testt"], "split=testt: choose from train, val, test"),
        (["run=RUN", "evaluation.count=1"], "split=test: 1 images"),
        (["run=RUN", "feature.weights=broken.pth"], "these weights cannot be used"),
        (["run=RUN", "feature.weights=TYPO"], "feature.weights=TYPO: there is no such file"),
    ],
)
def test_a_mistake_is_one_clear_line(
    here: Here, run: Path, arguments: list[str], said: str
) -> None:
    torch.save({"layer": torch.zeros(3)}, run.parent / "broken.pth")
    status, _, errors = here("evaluate", "accelerator=cpu", *arguments)
    assert status == 2
    assert said in errors
    assert "Traceback" not in errors


def test_a_damaged_result_is_not_believed(here: Here, run: Path) -> None:
    here(*EVALUATE, "feature=pixels")
    (path,) = (run / "evaluations").glob("*.json")
    path.write_text("{")
    status, _, errors = here(*EVALUATE, "feature=pixels")
    assert status == 2
    assert "delete it" in errors
    assert here(*EVALUATE, "feature=pixels", "force=true")[0] == 0
