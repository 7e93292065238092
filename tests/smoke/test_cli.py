"""The command line: help, mistakes, file names, and working from anywhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fer_lightning.cli import main
from tests.conftest import Fer
from tests.helpers.imports import imported
from tests.helpers.small import class_folders

MISTAKES = [
    (["train", "model.latent_dmi=3"], "did you mean model.latent_dim?"),
    (["train", "+model.latent_dmi=3"], "there is no key model.latent_dmi"),
    (["train", "model.latent_dim=abc"], "model.latent_dim=abc"),
    (["train", "model.latent_dim=-3"], "model.latent_dim=-3: give at least 1"),
    (["train", "model.prior=gaussian"], "expected one of [normal, uniform]"),
    (["train", "data.batch_size=0"], "data.batch_size=0"),
    (["train", "image_size=50"], "try image_size=48"),
    (["train", "channels=2"], "channels=2"),
    (["train", "trainer.devices=99"], "trainer.devices=99"),
    (["train", "trainer.max_images=0"], "trainer.max_images=0"),
    (["train", "data=fer2012"], "did you mean fer2013?"),
    (["train", "data=[drawn,folder]"], "data.extra=[ARCHIVE,…]"),
    (["train", "experiment=cgan_fer2013"], "FER_DATA"),
    (["train", "data=fer2013", "data.root=/no/where"], "data.root=/no/where: there is no such"),
    (["prepare", "data=combined", "data.parts.affecnet.root=x"], "mean data.parts.affectnet.root?"),
    (["prepare", "data=combined", "data.root=x"], "give data.parts.aff_wild2.root and data.parts"),
    (["prepare", "data=folder", "data.video.every=0"], "data.video.every=0: give at least 1"),
    (["train", "data=table"], "data=table needs data.root=DIR"),
    (["train", "data.archive=/no/where"], "data.archive=/no/where: there is no such folder"),
    (["train", "data.labels={"], "cannot be read"),
    (["prepare", "workers=0"], "workers=0"),
    (["train", "seed=99999999999"], "seed=99999999999"),
    (["train", "trainer.precision=foo"], "trainer.precision=foo"),
    (["train", "data.split.seed=-1"], "data.split.seed=-1"),
    (["train", "model.generator_lr=nan"], "model.generator_lr=nan"),
    (["train", "detector.weights=/no/where"], "there is no pnet.pt"),
    (["train", "model.name=foo"], "model.name is fixed"),
    (["train", "detector=null"], "detector=null"),
    (["train", "modle=cgan"], "did you mean model?"),
    (["train", "data.root="], "data.root= is empty"),
    (["generate", "run=x", "seed=-1"], "seed=-1"),
    (["generate", "run=x", "count=7", "fill=largest"], "count and fill each say"),
    (["generate", "run=x", "counts.disgut=7"], "did you mean counts.disgust?"),
    (["generate", "run=x", "fill=smallest"], "fill=smallest: give largest"),
    (["generate"], "run is required: pass run=…"),
    (["generate", "run=/no/where"], "run=/no/where"),
    (["train", "feature=pixels"], "pass trainer.evaluate_images=N"),
    (["train", "evaluation.count=5"], "pass trainer.evaluate_images=N"),
    (["train", "seed=0,1"], "seed=0,1: several values are a sweep and need -m"),
    (["train", "trainer.compile=fast"], "choose from ('default', 'reduce-overhead'"),
    (["trian"], "did you mean `fer train`?"),
]


@pytest.mark.parametrize(("arguments", "remedy"), MISTAKES, ids=lambda v: str(v)[:40])
def test_a_mistake_is_one_error_that_names_key_and_remedy(
    arguments: list[str],
    remedy: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capfd.readouterr().err
    assert remedy in error
    assert error.startswith("fer: error: ")


def test_a_mistake_ends_the_real_command(fer: Fer) -> None:
    done = fer("train", "data=fer2013", "data.root=/no/where")
    assert done.returncode == 2
    assert done.stderr == "fer: error: data.root=/no/where: there is no such folder\n"


def test_help_lists_everything_without_torch() -> None:
    code = "import sys; from fer_lightning.cli import main; main(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text, modules = done.stdout.rsplit("\n", 2)[:2]
    for word in ("prepare", "train", "generate", "cgan", "fer2013", "mtcnn", "demo", "smoke_cgan"):
        assert word in text
    assert not {"torch", "hydra", "numpy"} & set(modules.split())


@pytest.mark.parametrize("name", ["Zoë (1)=a,b.jpg", "ends with \\", "[x]{y}", "it's ${HOME}"])
def test_a_path_may_have_any_name(fer: Fer, tmp_path: Path, name: str) -> None:
    class_folders(tmp_path / name / "in")
    done = fer("prepare", "data=folder", f"data.root={name}/in", "detector=whole_image",
               "image_size=16", f"archive={name}/out", "workers=1")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / name / "out" / "manifest.json").read_text())["count"] == 36
    assert done.stdout.splitlines()[-1] == f"archive: {name}/out"


def test_a_configuration_is_printed_as_plain_yaml(fer: Fer) -> None:
    done = fer("train", "data=folder", "data.root=my faces/é", "--cfg", "job")
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["data"]["root"] == "my faces/é"


def test_nothing_is_left_in_the_working_folder(fer: Fer, tmp_path: Path) -> None:
    class_folders(tmp_path / "in")
    done = fer("prepare", "data=folder", "data.root=in", "detector=whole_image", "archive=out")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith(".")) == [
        "in",
        "multirun",
        "out",
    ]


def test_no_torch_is_loaded_to_report_a_key(fer: Fer) -> None:
    done = fer("train", "model.latent_dim=-3", PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 2
    assert "torch" not in imported(done.stderr)


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    """As in ``fer study study=augmentation dry_run=true | head -1``."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "fer_lightning", "study", "study=augmentation",
         "dry_run=true"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 1
