"""Everything that a study reads is laid ready, what fails is told, and nothing is done twice."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_lightning.cli import main
from fer_lightning.config.domains import DomainsConfig
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.domains import DomainDataModule
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.models.classifier.config import ClassifierConfig, Network
from fer_lightning.models.classifier.pretrained import imagenet_published
from fer_lightning.prefetched import VARIABLE
from fer_lightning.published import Published
from fer_lightning.studies import weights
from tests.helpers.server import Server, served
from tests.helpers.small import class_folders

STUDY = """
name: mine
seeds: [0, 1]
stages:
  gan:
    job: train
    overrides:
      - model=cgan
      - image_size=32
      - channels=1
      - detector=whole_image
      - data=folder
      - "data.root='\\\\${oc.env:FER_DATA}/faces'"
  generate:
    job: generate
    overrides: ["run=cell:gan", "archive=cell:gan/more", count=70]
  classifier:
    job: train
    overrides:
      - model=classifier
      - image_size=32
      - channels=1
      - detector=whole_image
      - data=folder
      - "data.root='\\\\${oc.env:FER_DATA}/faces'"
    arms:
      real: []
      more: ["data.extra=[cell:generate]"]
      generated: ["data.archive=cell:generate"]
  test:
    job: evaluate
    overrides:
      - run=cell:classifier
      - data=folder
      - "data.root='\\\\${oc.env:FER_DATA}/others'"
      - detector=whole_image
  measured:
    job: evaluate
    overrides: ["run=cell:gan"]
  pixels:
    job: probe
    overrides:
      - feature=pixels
      - data@fit=folder
      - "fit.root='\\\\${oc.env:FER_DATA}/faces'"
      - detector=whole_image
"""
TRANSLATION = """
name: mine
seeds: [0, 1]
stages:
  gan:
    job: train
    overrides:
      - model=egc_gan
      - model.encoder=lite
      - model.classifier=experiment:judge
      - image_size=32
      - detector=whole_image
      - data@domains.source=drawn
      - domains.source.count=7
      - domains.source.picture_size=32
      - data@domains.target=drawn
      - domains.target.count=8
      - domains.target.picture_size=32
      - domains.target.gray=true
"""
JUDGE = """# @package _global_
defaults:
  - smoke_classifier
  - _self_
image_size: 48
data:
  count: 9
  picture_size: 48
"""
CONTENT = b"weights"
NAME = "inception.pth"


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configurations of one's own, in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    for group in ("study", "experiment"):
        (tmp_path / "conf" / group).mkdir(parents=True)
    return tmp_path / "conf"


@pytest.fixture
def server(conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A folder with the study and its two datasets, and who publishes Inception's weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))
    (conf / "study" / "mine.yaml").write_text(STUDY)
    for name in ("faces", "others"):
        class_folders(tmp_path / "data" / name, each=5 + len(name))
    with served({NAME: CONTENT}) as server:
        digest = hashlib.sha256(CONTENT).hexdigest()[:8]
        monkeypatch.setattr(weights, "INCEPTION", Published(NAME, f"{server.url}/{NAME}", digest))
        yield server


TYPED = ["prefetch", "--config-dir", "conf", "study=mine", "out=OUT"]


def prefetch(*more: str) -> int:
    return main([*TYPED, *more])


def archives() -> dict[str, int]:
    return {p.parent.name: p.stat().st_mtime_ns for p in Path("OUT").glob("*/faces.npy")}


def laid_archives(printed: str) -> list[tuple[Path, str]]:
    """Archives that were printed, each with what asked for it first."""
    found = re.findall(r"^archive: (\S+) \((.*?):?\)$", printed, re.MULTILINE)
    return [(Path(path), asked) for path, asked in found]


@pytest.mark.slow
def test_a_study_finds_everything_in_one_folder(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["fer", *TYPED])
    assert prefetch() == 0
    printed = capsys.readouterr().out
    made = archives()
    # The model's faces at 32 pixels, those of the test, and those of pixels at 64, in colour.
    assert sorted(name.rsplit("-", 1)[0] for name in made) == [
        "folder-whole_image-32",
        "folder-whole_image-32",
        "folder-whole_image-64",
    ]
    assert printed.count("archive: OUT/") == 3
    assert Path("OUT/weights", NAME).read_bytes() == CONTENT
    assert "made by the study itself:\n  generate: generated faces\n" in printed
    index = json.loads(Path("OUT/prefetched.json").read_text())
    assert sorted(index["archives"].values()) == sorted(made)
    *_, data, ready, command = printed.splitlines()
    assert data == f"  export FER_DATA={os.environ['FER_DATA']}"
    assert ready == f"  export {VARIABLE}={Path('OUT').resolve()}"
    assert command == "  fer study --config-dir conf study=mine"

    assert prefetch() == 0  # a second time
    again = capsys.readouterr().out
    assert set(again.splitlines()) < set(printed.splitlines())  # without the tables of what is cut
    assert again.count("archive: OUT/") == 3
    assert (archives(), server.asked) == (made, [f"/{NAME}"])

    shutil.rmtree("data")
    monkeypatch.setenv(VARIABLE, "OUT")
    cut = ["prepare", "data=folder", f"data.root={os.environ['FER_DATA']}/faces", "image_size=32",
           "channels=1", "detector=whole_image"]  # fmt: skip
    assert main(cut) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("archive: OUT/folder-whole_image-32")
    assert prefetch() == 2
    assert f"{VARIABLE} is set" in capsys.readouterr().err


@pytest.mark.slow
def test_what_fails_is_told_once_and_the_rest_goes_on(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(weights, "INCEPTION", Published("x.pth", f"{server.url}/x.pth", "00"))
    shutil.rmtree("data/others")
    assert prefetch() == 2
    printed, errors = capsys.readouterr()
    lines = [line for line in errors.splitlines() if line.startswith("fer: error: ")]
    assert len(lines) == 2
    assert "others: there is no such folder" in lines[0]
    assert lines[1].startswith("fer: error: measured: seed=0: feature=inception: http://127.0.0.1")
    assert len(archives()) == 2
    assert "2 things failed" in printed


def test_two_domains_and_the_experiment_that_judges_them(
    conf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (conf / "study" / "mine.yaml").write_text(TRANSLATION)
    (conf / "experiment" / "judge.yaml").write_text(JUDGE)
    assert prefetch() == 0
    laid = laid_archives(capsys.readouterr().out)
    # The experiment first, and nothing again for the other seed.
    assert [asked for _, asked in laid] == ["experiment=judge", "gan: seed=0", "gan: seed=0"]
    made = [path for path, _ in laid]
    assert sorted(path.name for path in made) == sorted(archives())

    monkeypatch.setenv(VARIABLE, "OUT")  # what both trainings read on the node is just that
    judged = FaceDataModule(Drawn(count=9, picture_size=48), WholeImageConfig(), 48, 1, 0)
    domains = DomainsConfig(
        source=Drawn(count=7, picture_size=32), target=Drawn(count=8, picture_size=32, gray=True)
    )
    translated = DomainDataModule(domains, WholeImageConfig(), 32, None, 0)
    judged.prepare_data()
    translated.prepare_data()
    read = [*judged.archives, *translated.archives]
    assert [archive.path for archive in read] == made
    # Gray faces get the channels of the coloured domain; the judge has its own.
    assert [archive.shape for archive in read] == [(9, 48, 48, 1), (7, 32, 32, 3), (8, 32, 32, 3)]


def test_what_a_job_downloads_is_known_from_its_configuration() -> None:
    class Config:
        feature = None
        model = ClassifierConfig(network=Network.resnet18, pretrained=True)

    assert weights.published_of(Config(), None) == {
        "model.pretrained=true": imagenet_published(Network.resnet18)
    }
    assert imagenet_published(Network.resnet18).digest == "f37072fd"
    Config.model = ClassifierConfig()
    assert weights.published_of(Config(), None) == {}
