"""The package that the pages below docs/extending describe: installed, and used as they say."""

from __future__ import annotations

import configparser
import csv
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from fer_lightning.data.archive import FaceArchive
from tests.conftest import REPOSITORY, Fer
from tests.docs import layouts
from tests.docs.commands import Command, commands, files

PAGES = REPOSITORY / "docs" / "extending"
NAMES = ["corpus.md", "detector.md", "model.md", "metric.md"]
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
SHORT = ["trainer.max_images=32", "data.batch_size=8", "trainer.accelerator=cpu", "logger=csv"]
FEW = ["data.count=70", "data.picture_size=96"]


def package(page: str) -> dict[str, str]:
    """The files that a reader of the common page and another one has."""
    common, own = files(PAGES / "index.md"), files(PAGES / page)
    project = common.pop("pyproject.toml") + "\n" + own.pop("pyproject.toml")
    return {**common, **own, "pyproject.toml": project}


def entry_points(project: str) -> dict[str, dict[str, str]]:
    """Group to name to object, from a pyproject.toml."""
    parser = configparser.ConfigParser(delimiters="=")
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string(project)  # which TOML of this kind is, too; tomllib is not in Python 3.10
    return {
        section.removeprefix("project.entry-points.").strip('"'): {
            name: value.strip('"') for name, value in parser[section].items()
        }
        for section in parser.sections()
        if section.startswith("project.entry-points.")
    }


def install(page: str, folder: Path) -> Path:
    """Install the package below ``folder``, from a wheel, which needs no network."""
    content = package(page)
    groups = entry_points(content.pop("pyproject.toml"))
    lines = [f"[{g}]\n" + "".join(f"{n} = {v}\n" for n, v in e.items()) for g, e in groups.items()]
    about = {
        "METADATA": "Metadata-Version: 2.1\nName: my_faces\nVersion: 1.0\n",
        "WHEEL": WHEEL,
        "RECORD": "",
        "entry_points.txt": "".join(lines),
    }
    content |= {f"my_faces-1.0.dist-info/{name}": text for name, text in about.items()}
    wheel = folder / "my_faces-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in content.items():
            archive.writestr(path, text)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target"]
    subprocess.run([*pip, str(folder / "site"), str(wheel)], check=True)
    return folder / "site"


class Follower:
    """Installs the package of a page and types what stands there."""

    def __init__(self, page: str, fer: Fer, folder: Path) -> None:
        self.fer, self.page = fer, PAGES / page
        self.path = os.pathsep.join([str(install(page, folder)), os.environ.get("PYTHONPATH", "")])

    def type(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.fer(*words, PYTHONPATH=self.path)

    def follow(self, **places: Path) -> list[str]:
        """What each command of the page prints; those that train are cut short.

        Args:
            places: What stands for DIR.
        """
        printed = []
        for command in (c for c in commands(self.page) if not c.mention):
            filled = [word.replace("DIR", str(places.get("DIR"))) for word in command.words[1:]]
            done = self.type(*filled, *self.cut(command))
            assert done.returncode == (2 if command.output else 0), f"{command}\n{done.stderr}"
            assert done.stderr.endswith(command.output), command
            printed.append(done.stdout)
        assert printed
        return printed

    @staticmethod
    def cut(command: Command) -> list[str]:
        if command.words[1] != "train" or command.output:
            return []
        return SHORT + FEW * ("data=drawn" in command.words)


def test_a_package_is_found(fer: Fer, tmp_path: Path) -> None:
    follower = Follower("corpus.md", fer, tmp_path)
    assert ", lab, " in follower.type("--help").stdout
    (mistake,) = (command for command in commands(follower.page) if command.output)
    assert "did you mean data.separator?" in mistake.output
    assert follower.type(*mistake.words[1:]).stderr == mistake.output


@pytest.mark.slow
def test_a_corpus(fer: Fer, tmp_path: Path) -> None:
    follower = Follower("corpus.md", fer, tmp_path)
    prepared, trained, *_ = follower.follow(DIR=layouts.make(tmp_path / "data")["lab"])
    assert "surprise" in prepared
    assert "70" in prepared
    assert trained.splitlines()[-1] == "run:     RUN"
    config = yaml.safe_load((tmp_path / "RUN" / "config.yaml").read_text())
    assert config["data"]["name"] == "lab"
    assert config["data"]["separator"] == "_"
    assert {p.name.split("-")[1] for p in (tmp_path / "archives").glob("lab-*[0-9a-f]")} == {
        "mtcnn",
        "whole_image",
    }
    assert len(list((tmp_path / "multirun" / "train").glob("cgan-lab-*"))) == 2


@pytest.mark.slow
def test_a_detector(fer: Fer, tmp_path: Path) -> None:
    follower = Follower("detector.md", fer, tmp_path)
    assert "fixed_box" in follower.type("--help").stdout
    follower.follow()
    index = pq.read_table(tmp_path / "OUT" / "index.parquet").to_pylist()
    assert len(index) == 70
    assert [row["box"] for row in index] == [pytest.approx([32, 16, 128, 144])] * 70
    assert {row["score"] for row in index} == {1}
    assert len(list((tmp_path / "multirun" / "train").glob("cgan-drawn-*"))) == 2
    wrong = follower.type("prepare", "data=drawn", "detector=fixed_box", "detector.box=[1,0,0,1]")
    assert "detector.box=[1.0, 0.0, 0.0, 1.0]: give [left,top,right,bottom]" in wrong.stderr


@pytest.mark.slow
def test_a_model(fer: Fer, tmp_path: Path) -> None:
    follower = Follower("model.md", fer, tmp_path)
    assert "hinge_gan, perceptron_gan" in follower.type("--help").stdout
    follower.follow()
    with (tmp_path / "RUN" / "metrics.csv").open(newline="") as file:
        columns = next(csv.reader(file))
    assert {"d_loss", "d_real", "d_fake", "g_loss"} <= set(columns)
    chosen = yaml.safe_load((tmp_path / "OTHER" / "config.yaml").read_text())
    assert (chosen["model"]["name"], chosen["model"]["hidden"]) == ("perceptron_gan", 128)
    assert chosen["detector"]["name"] == "whole_image"
    assert chosen["seed"] == 1
    assert list((tmp_path / "RUN" / "evaluations").glob("*.json"))
    assert FaceArchive.open(tmp_path / "OUT").shape == (70, 32, 32, 3)
    runs = [p.name for p in (tmp_path / "multirun" / "train").glob("[!.]*")]
    assert {(name.split("-")[0], name[-2:]) for name in runs} == {
        (model, seed) for model in ("cgan", "hinge_gan") for seed in ("s0", "s1")
    }


@pytest.mark.slow
def test_a_metric(fer: Fer, tmp_path: Path) -> None:
    follower = Follower("metric.md", fer, tmp_path)
    _, evaluated, compared = follower.follow()
    (path,) = (tmp_path / "RUN" / "evaluations").glob("*.json")
    found = json.loads(path.read_text())
    assert found["protocol"]["metrics"] == {"energy": "my_faces 1.0"}
    assert found["metrics"]["energy_pixels"] > 0
    assert found["metrics"]["energy_pixels/fear"] > 0
    assert f"{'energy_pixels':<23}" in evaluated
    assert "| energy_pixels/fear " in compared
    measured = ["experiment=smoke_cgan", "trainer.evaluate_images=32", "run_dir=OTHER", *SHORT]
    assert follower.type("train", *measured).returncode == 0
    with (tmp_path / "OTHER" / "metrics.csv").open(newline="") as file:
        assert any(row["energy_pixels"] for row in csv.DictReader(file))


@pytest.mark.slow
@pytest.mark.parametrize("page", NAMES)
def test_a_package_is_built(page: str, tmp_path: Path) -> None:
    content = package(page)
    for name, text in content.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path / "wheels"]
    subprocess.run([*pip, tmp_path], check=True)
    (wheel,) = (tmp_path / "wheels").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        assert content.keys() - {"pyproject.toml"} <= set(archive.namelist())
        parser = configparser.ConfigParser(delimiters="=")
        parser.read_string(archive.read("my_faces-1.0.dist-info/entry_points.txt").decode())
    groups = entry_points(content["pyproject.toml"])
    assert {name: dict(parser[name]) for name in parser.sections()} == groups
