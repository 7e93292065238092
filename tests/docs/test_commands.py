"""Every command on every page: executed where that can be, else composed to its typed object.

Executed are they on a few drawn faces and cut down to seconds. The pages below
``docs/extending`` need the package that they describe: ``test_extending.py`` runs their commands.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from difflib import ndiff
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torchvision.models import resnet18

from fer_lightning.cli import JOBS
from fer_lightning.config.evaluate import EvaluateConfig
from fer_lightning.config.generate import GenerateConfig
from fer_lightning.config.logger import WandbMode
from fer_lightning.config.probe import ProbeConfig
from fer_lightning.config.registration import JOB_SCHEMAS
from fer_lightning.config.schema import PrepareConfig, TrainConfig
from fer_lightning.config.study import StudyConfig
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.detectors.retinaface import Backbone
from fer_lightning.detectors.retinaface_network import RetinaFaceNetwork
from fer_lightning.devices import can_compile
from fer_lightning.models.classifier.config import WIDTHS, ClassifierConfig
from fer_lightning.runs import JobResult
from fer_lightning.studies.cells import Cell, resolve
from fer_lightning.studies.composing import as_typed, mistake_in
from fer_lightning.studies.record import StudyRecord
from tests.conftest import REPOSITORY
from tests.docs import layouts
from tests.docs.commands import Command, commands, pages
from tests.docs.reader import FOLDERS, WEIGHTS, Reader, Run
from tests.helpers.inception import random_inception

LISTED = REPOSITORY / "tests" / "docs" / "only_composed.txt"
"""What is not executed, so that a change shows who reviews it; a line is ``reason: command``."""
PAGES = [page for page in pages() if page.parent.name != "extending"]
NAMES = [str(page.relative_to(REPOSITORY)) for page in PAGES]
ONLY_COMPOSED = {
    r"^make": "CI runs make itself",
    r"^wandb ": "needs an account at W&B",
    r"logger=wandb_online": "needs an account at W&B",
    r"^srun |hydra/launcher=slurm": "needs SLURM",
    r"CUDA_VISIBLE_DEVICES=": "needs GPUs",
    r"trainer\.devices=": "needs several devices; tests/smoke/test_devices.py starts processes",
    r"study=(augmentation|features|paper|egc|translation|ganmut)": "dozens of cells; tests/smoke "
    "runs those of papers, tests/unit/config composes the others",
    r"trainer\.compile=": "compiles for half a minute; tests/smoke/test_compile.py trains so",
    r"(smoke_egc_gan|egc_gan_drawn)(?!.*run_dir)": "trains a classifier first; "
    "tests/smoke/test_experiments.py runs one",
    r"official_weights=|run=OFFICIAL": "needs weights of other authors; "
    "tests/smoke/test_editing.py makes small ones",
    r"^fer benchmark": "takes minutes however small; tests/smoke/test_benchmark.py runs each",
}
"""What is not executed, by a pattern of the command, and why."""


WAITING = "docs/results/pending.md"
"""Its commands wait for other machines: small as they can be made, they still take many minutes."""


COMPOSED: set[str] = set()
"""Commands of pages that have passed; many stand on several."""


CELLS: set[str] = set()
"""Cells of studies that have passed: a study stands on several pages."""


def reason(command: Command) -> str | None:
    """Why a command is only composed, or None."""
    found = (why for pattern, why in ONLY_COMPOSED.items() if re.search(pattern, command.text))
    return next(found, None)


def executed(command: Command) -> bool:
    """Whether ``test_every_command_works`` runs it, and so composes it."""
    return command.page != WAITING and not command.mention and reason(command) is None


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What DIR and FILE stand for."""
    root = tmp_path_factory.mktemp("data")
    weights = {name: root / f"{name}.pth" for name in ("weights", *WEIGHTS.values())}
    corpora = layouts.make(root)
    corpora["photographs"] = corpora["table"]  # the part of conf/data/fer2013_photographs.yaml
    return {**corpora, "data": root, **weights}


@pytest.fixture(autouse=True)
def _scratch(tmp_path: Path, places: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FER_DATA", str(places["data"]))


def typed(job: str, run: Run, command: Command) -> Run:
    """Instead of a job: see that it would have been given what it takes, and so would cells."""

    def check(config: Any) -> JobResult:
        assert type(config) is JOB_SCHEMAS[job]
        if isinstance(config, StudyConfig) and config.train:  # else tests/unit/config does
            config.study.seeds = config.study.seeds[:1]
            cells = StudyRecord.open(config.study, config.train).cells
            for cell in cells:  # as if all were done, so that lists of cells are lists
                cell.status, cell.path = "done", str(_made(cell))
            for cell in cells:
                if (written := f"{cell.job} {cell.overrides}") in CELLS:
                    continue
                overrides = resolve(cell, cells)
                assert overrides is not None
                mistake = mistake_in(cell.job, as_typed(cell.job, overrides))
                assert mistake is None, f"{cell.label}: {mistake}"
                CELLS.add(written)
        return JobResult(Path())

    return check


def _made(cell: Cell) -> Path:
    """What a finished cell leaves."""
    folder = Path("made") / cell.key
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").touch()
    return folder


def test_what_waits_publishes_no_picture_of_a_real_face() -> None:
    waiting = commands(REPOSITORY / WAITING)
    publishing = [c for c in waiting if any("multirun/published" in word for word in c.words)]
    assert publishing
    assert [str(c) for c in publishing if "pictures=false" not in c.words] == []


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=name, marks=() if name == "README.md" else pytest.mark.slow)
        for page, name in zip(PAGES, NAMES, strict=True)
    ],
)
def test_what_is_not_executed_is_composed(
    page: Path, places: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    reader = Reader(capfd, places, typed, executes=False)
    for command in commands(page):
        program, *words = command.words
        if program == "fer" and (executed(command) or command.text in COMPOSED):
            continue
        if program == "make":
            assert set(words) <= targets(), f"{command}: the Makefile has {sorted(targets())}"
        elif program == "fer" and command.mention:
            named = {word for word in words[:1] if word.isidentifier()}
            assert named <= JOBS.keys(), f"{command}: there is no such job"
        elif program == "fer":
            reader.type(without_cluster(command))
        elif program == "python":
            compile(words[0], str(command), "exec")
    reader.finish()
    COMPOSED.update(command.text for command in commands(page))


@pytest.mark.parametrize(
    ("words", "output", "told"),
    [
        ("fer train model.widht=3", "", "did you mean model.width?"),
        ("fer train model.width=0", "", "model.width=0: give at least 1"),
        ("fer study 'train=[model.widht=3]'", "", "there is no key model.widht"),
        ("fer train model.width=0", "fer: error: model.width=1", "model.width=0"),
    ],
)
def test_what_does_not_work_is_told_with_its_place(
    words: str, output: str, told: str, places: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    reader = Reader(capfd, places, typed, executes=False)
    reader.type(Command("page.md", 7, tuple(shlex.split(words)), output=output))
    with pytest.raises(AssertionError, match=rf"page\.md:7: fer .*\n.*{re.escape(told)}"):
        reader.finish()


def targets() -> set[str]:
    """What ``make`` can be asked for."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))


def without_cluster(command: Command) -> Command:
    """A command for SLURM without its launcher, where that is not installed."""
    if find_spec("submitit") or "submitit" not in str(command):
        return command
    kept = (w for w in command.words if not w.startswith(("hydra/launcher=", "hydra.launcher.")))
    return replace(command, words=tuple(kept))


def small(job: str, run: Run, command: Command) -> Run:
    """The job on few faces, with thin networks and two batches, on the CPU."""

    def cut(config: Any) -> Any:
        if isinstance(getattr(config, "data", None), Drawn):
            config.data.count = min(config.data.count, 70)
        if isinstance(config, PrepareConfig):
            config.workers = 1
        if isinstance(config, TrainConfig):
            few = 2 if config.data.only else 8  # a layout has four faces of an emotion
            config.data.batch_size = min(config.data.batch_size, few)
            _narrow(config.model)
            config.trainer.max_images = min(config.trainer.max_images, 16)
            config.trainer.accelerator = "cpu"
            if not can_compile():
                config.trainer.compile = None
            if not command.page.endswith("wandb.md"):
                config.logger.wandb = WandbMode.disabled
        if isinstance(config, EvaluateConfig | GenerateConfig | ProbeConfig):
            config.accelerator = "cpu"
        if isinstance(config, ProbeConfig):
            _few_folds(config)
        if isinstance(config, GenerateConfig):
            _fewer(config)
        if isinstance(config, EvaluateConfig) and config.feature.name == "inception":
            config.evaluation.per_class &= not _generates(config.run)
        if isinstance(config, StudyConfig) and config.train:  # else tests/unit/config does
            config.study.seeds = config.study.seeds[:1]
        return run(config)

    return cut


def _narrow(model: Any) -> None:
    """The model with few filters, where their numbers are keys of its."""
    if isinstance(model, ClassifierConfig) and model.network not in WIDTHS:
        return
    for key in ("width", "generator_width", "discriminator_width"):
        if hasattr(model, key):
            setattr(model, key, min(getattr(model, key), 4))


def _generates(run: Path) -> bool:
    """Whether the run's model is measured by what it generates."""
    file, others = run / "config.yaml", ("classifier", "egc_gan", "ganmut")
    return file.is_file() and yaml.safe_load(file.read_text())["model"]["name"] not in others


def _few_folds(config: ProbeConfig) -> None:
    """Few faces, folds and evaluations."""
    for block in (config.fit, config.test):
        if isinstance(block, Drawn):
            block.count = min(block.count, 70)
    config.probe.folds, config.probe.inner_folds, config.probe.evaluations = 3, 2, 2


def _fewer(config: GenerateConfig) -> None:
    """Ten images of a class or less."""
    if config.count is not None:
        config.count = min(config.count, 70)
    if isinstance(config.fill, int):
        config.fill = min(config.fill, 10)
    config.counts = {emotion: min(number or 0, 10) for emotion, number in config.counts.items()}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archives and runs that are named by hash: pages may share them."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def made(places: dict[str, Path], shared: Path) -> dict[str, Path]:
    """What stands for FILE, and for the folders on pages that begin with them."""
    torch.save(random_inception(), places["weights"])
    torch.save(RetinaFaceNetwork(Backbone.mobilenet025).state_dict(), places["retinaface"])
    torch.save(resnet18().state_dict(), places["imagenet"])
    return {**places, **{name: shared / name for name in FOLDERS}}


FIRST = [
    "fer train data=fer2013 data.root=DIR run_dir=RUN",
    "fer train data=fer2013 data.root=DIR seed=1 run_dir=OTHER",
    "fer train model=classifier data=fer2013 data.root=DIR run_dir=CLASSIFIER",
    "fer generate run=RUN count=70 archive=OUT",
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [pytest.param(p, id=name) for p, name in zip(PAGES, NAMES, strict=True) if name != WAITING],
)
def test_every_command_works(
    page: Path,
    made: dict[str, Path],
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # where nobody listens
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("FER_ARCHIVES")
    for name in ("archives", "multirun/train"):
        (shared / name).mkdir(parents=True, exist_ok=True)
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).symlink_to(shared / name)
    reader = Reader(capfd, made, small, executes=True)
    if not (shared / "RUN").exists():
        with monkeypatch.context() as patch:
            patch.chdir(shared)
            for line in FIRST:
                reader.type(Command("at first", 0, tuple(line.split())))
    for command in commands(page):
        if executed(command):
            reader.type(command)
        elif command.words[:2] == ("wandb", "sync") and not command.mention:
            (folder,) = command.words[2:]
            assert list(Path().glob(folder.replace("\u2026", "*"))), f"{command}: not there"
    reader.finish()


def only_composed() -> str:
    """What ``LISTED`` should hold; without line numbers, so that it changes with commands alone."""
    found = [command for page in PAGES for command in commands(page) if not command.mention]
    return "".join(sorted({f"{reason(c)}: {c.text}\n" for c in found if reason(c) is not None}))


def test_what_is_only_composed_is_listed_with_its_reason(tmp_path: Path) -> None:
    now, listed = only_composed(), LISTED.read_text(encoding="utf-8")
    unused = {why for why in ONLY_COMPOSED.values() if f"{why}: " not in now}
    assert not unused, "no command needs these exceptions any more"
    right = tmp_path / LISTED.name
    right.write_text(now, encoding="utf-8")
    changes = "\n".join(ndiff(listed.splitlines(), now.splitlines()))
    assert now == listed, (
        "other commands than those listed are not executed; if that is meant, bring the list up "
        f"to date by `cp {right} {LISTED}`:\n{changes}"
    )
