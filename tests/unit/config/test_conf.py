"""Every YAML composes to its typed object, and neither YAML nor key is left that nothing reads."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir

from fer_lightning import cli, registry
from fer_lightning.config.compose import to_typed
from fer_lightning.config.launch import refuse_dropped
from fer_lightning.config.plain import identity
from fer_lightning.config.registration import JOB_SCHEMAS, register
from fer_lightning.detectors.retinaface import VARIABLE, Backbone
from fer_lightning.detectors.retinaface_network import RetinaFaceNetwork
from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTIONS
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.ganmut.config import Cycle
from fer_lightning.studies.cells import resolve
from fer_lightning.studies.plan import cells_of
from tests.helpers.layouts import faces, jaffe
from tests.helpers.layouts.pictures import touch

CONF = cli.conf_dir()
PACKAGE = Path(cli.__file__).parent
GROUPS = {r.config_group: r for r in registry.REGISTRIES}
NEEDS = {
    "generate": ["run=RUN"],
    "edit": ["run=RUN", "image=photo.jpg", "emotion=happiness"],
    "evaluate": ["run=RUN"],
    "compare": ["runs=[RUN]", "out=OUT"],
    "probe": ["run=RUN", "layer=discriminator.block4"],
}
"""What a job cannot be composed without."""
DOMAINS = ["data@domains.source=drawn", "data@domains.target=drawn"]
TRANSLATING = [*DOMAINS, "model=egc_gan", "model.classifier=RUN"]
PARTS = ("job", "default_detector")
"""Top-level YAML that jobs share."""
UNIONS = {"faces_jaffe": "combined", "fer2013_photographs": "combined"}
"""YAML of ``conf/data`` that is not named after its corpus."""


def typed(job: str, *overrides: str) -> Any:
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return to_typed(compose(job, overrides=[*NEEDS.get(job, []), *overrides]))


@pytest.mark.parametrize("job", cli.JOBS)
def test_every_job_composes(job: str) -> None:
    assert type(typed(job)) is JOB_SCHEMAS[job]


@pytest.mark.parametrize(
    "path", sorted(CONF.glob("*/*.yaml")), ids=lambda p: f"{p.parent.name}={p.stem}"
)
def test_every_choice_composes_to_its_registered_class(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_DATA", "/data")
    group, name = path.parent.name, path.stem
    measured = ["trainer.evaluate_images=1000"] if group == "feature" else []
    needed = {"classifier": ["feature.run=RUN"], "layer": ["feature.run=RUN", "feature.layer=X"]}
    measured += needed.get(name, []) if group == "feature" else []
    measured += TRANSLATING if (group, name) == ("model", "egc_gan") else []
    config = typed("study" if group == "study" else "train", f"{group}={name}", *measured)
    if group in GROUPS:
        name = UNIONS.get(name, name)
        assert type(getattr(config, group)) is GROUPS[group].load(name)
        assert getattr(config, group).name == name


LARGE = [p for p in sorted(CONF.glob("study/*.yaml")) if p.stem != "smoke"]
"""Studies that no test runs as they stand; of some, tests/smoke runs smaller cells."""


@pytest.mark.slow
@pytest.mark.parametrize("path", LARGE, ids=lambda p: p.stem)
def test_every_cell_of_a_study_composes_by_its_job(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_DATA", "/data")
    study = typed("study", f"study={path.stem}", "study.seeds=[0]").study
    cells = cells_of(study, [])
    for number, cell in enumerate(cells):
        made = tmp_path / str(number)
        made.mkdir()
        (made / "results.json").touch()
        cell.status, cell.path = "done", str(made)
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        for cell in {(c.job, *c.overrides): c for c in cells}.values():  # the rest: other folders
            overrides = resolve(cell, cells)
            assert overrides is not None
            assert type(to_typed(compose(cell.job, overrides))) is JOB_SCHEMAS[cell.job], cell.label


@pytest.mark.parametrize("path", sorted(CONF.glob("model/*.yaml")), ids=lambda p: p.stem)
def test_every_model_is_built(path: Path) -> None:
    keys = (f.name for f in fields(registry.models.load(path.stem)) if f.name.endswith("width"))
    narrow = [f"model.{key}=2" for key in keys]
    needed = [*TRANSLATING, "model.encoder=lite"] if path.stem == "egc_gan" else []
    needed += ["model.depth=4", "image_size=32"] if path.stem == "ganmut" else []
    model = typed("train", f"model={path.stem}", *narrow, *needed).model
    shape = FaceFormat(image_size=32, channels=3, classes=["neutral", "anger"], frequencies=[1, 2])
    assert sum(p.numel() for p in model.build(shape, seed=0).parameters()) > 0


@pytest.mark.parametrize("path", sorted(CONF.glob("detector/*.yaml")), ids=lambda p: p.stem)
def test_every_detector_is_built(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "retinaface.pth"
    torch.save(RetinaFaceNetwork(Backbone.mobilenet025).state_dict(), weights)
    monkeypatch.setenv(VARIABLE, str(weights))
    detector = typed("prepare", f"detector={path.stem}").detector.build()
    assert len(detector.detect([np.zeros((40, 40, 3), np.uint8)])) == 1


def test_every_component_has_its_yaml() -> None:
    for group, known in GROUPS.items():
        unions = UNIONS if group == "data" else {}
        assert {p.stem for p in (CONF / group).glob("*.yaml")} == {*known.builtin, *unions}


def test_every_top_level_yaml_is_a_job_or_part_of_one() -> None:
    assert {p.stem for p in CONF.glob("*.yaml")} == {*cli.JOBS, *PARTS}


def test_paper_e_is_trained_as_it_says() -> None:
    """E.7: 200,000 iterations of 16, the rates falling over the last 100,000."""
    config = typed("train", "experiment=ganmut_paper_e", "data=drawn")
    assert (config.image_size, config.channels) == (128, 3)
    assert config.data.only == list(EMOTIONS[:7])
    assert config.data.batch_size == 16
    assert config.trainer.max_images == config.model.schedule_images == 200_000 * 16
    assert config.model.decay_images == 100_000 * 16
    assert config.model.cycle is Cycle.original
    augmentation = config.data.augmentation
    assert (augmentation.flip, augmentation.rotation) == (True, 7.5)
    assert augmentation.shift * 128 == pytest.approx(7.5, rel=1e-3)
    assert (augmentation.zoom_least, augmentation.zoom_most) == (1.075, 1.15)


def test_fer2013_brings_its_detector_and_the_command_line_wins() -> None:
    assert typed("train", "data=fer2013").detector.name == "whole_image"
    assert typed("train", "data=fer2013", "detector=mtcnn").detector.name == "mtcnn"


def test_a_block_may_have_a_detector_of_its_own() -> None:
    config = typed("train", "detector@data.detector=whole_image")
    assert config.detector.name == "mtcnn"
    assert config.data.detector.name == "whole_image"


def test_a_relocated_block_never_changes_the_jobs_detector() -> None:
    for corpus in ("fer2013", "fer_plus", "raf_db"):
        config = typed("probe", f"data@fit={corpus}", f"data@test={corpus}")
        assert config.detector.name == "mtcnn"
        assert config.fit.detector.name == config.test.detector.name == "whole_image"
    config = typed("probe", "data@fit=fer2013", "detector@fit.detector=mtcnn")
    assert config.fit.detector.name == "mtcnn"
    config = typed("probe", "data@test=table", "detector=viola_jones")
    assert config.detector.name == "viola_jones"
    assert config.fit.detector is config.test.detector is None
    config = typed("probe", "data@test=table", "detector@test.detector=viola_jones")
    assert (config.detector.name, config.test.detector.name) == ("mtcnn", "viola_jones")
    assert config.fit.detector is None


PAPER_C = [
    "model=egc_gan",
    "data@domains.source=table",
    "detector@domains.source.detector=mtcnn",
    "data@domains.target=fer2013",
    "detector@domains.target.detector=whole_image",
    "domains.source.root=DIR",
    "domains.target.root=OTHER",
    "model.classifier=RUN",
]


def test_two_domains_take_the_place_of_data() -> None:
    config = typed("train", *PAPER_C)
    assert config.domains is not None
    assert [(b.name, b.detector.name, str(b.root)) for b in config.blocks] == [
        ("table", "mtcnn", "DIR"),
        ("fer2013", "whole_image", "OTHER"),
    ]
    assert config.detector.name == "mtcnn"
    assert config.data is config.domains.source
    assert typed("train").domains is None
    assert "domains" not in identity(typed("train"))


def test_a_domain_never_changes_the_jobs_detector() -> None:
    crops = ["data@domains.source=table", "data@domains.target=fer2013", *TRANSLATING[2:]]
    for overrides, name in (([], "mtcnn"), (["detector=viola_jones"], "viola_jones")):
        config = typed("train", *crops, *overrides)
        assert config.detector.name == name
        assert config.domains.source.detector is None
        assert config.domains.target.detector.name == "whole_image"


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (PAPER_C[:2] + PAPER_C[7:], "domains.target is required: pass data@domains.target="),
        ([*PAPER_C, "domains.source.batch_size=0"], "domains.source.batch_size=0: give"),
        ([*PAPER_C, "domains.target.people=0"], "domains.target.people=0: give at least 1"),
        ([*PAPER_C, "domains.target.batch_size=8"], "set domains.source.batch_size"),
        ([*PAPER_C, "domains.target.balance=true"], "set domains.source.balance"),
        ([*PAPER_C, "domains.source.soft_labels=true"], "domains.source.soft_labels=true is for"),
        ([*PAPER_C, "domains.source.detector.margin=3"], "domains.source.detector.margin=3"),
        ([*PAPER_C, "trainer.evaluate_images=100"], "translations are measured by `fer evaluate`"),
        (["model=egc_gan", "model.classifier=RUN"], "pass data@domains.source=NAME and data@"),
        (DOMAINS, "give model=cgan its faces by data=NAME"),
    ],
)
def test_mistakes_in_domains_are_told_by_their_keys(overrides: list[str], told: str) -> None:
    with pytest.raises(UserError) as error:
        typed("train", *overrides)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "override",
    ["data=drawn", "data.batch_size=8", "detector@data.detector=mtcnn", "+data.no=1"],
)
def test_data_beside_domains_is_refused(override: str) -> None:
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = compose("train", overrides=PAPER_C)
        refuse_dropped(composed, PAPER_C)
        with pytest.raises(UserError, match="has no effect beside domains"):
            refuse_dropped(composed, [*PAPER_C, override])
        refuse_dropped(compose("train"), [override])


def test_papers_c_unseen_faces_keep_surprise_and_leave_neutral_out(tmp_path: Path) -> None:
    touch(tmp_path / "F", faces.names())
    touch(tmp_path / "J", jaffe.names())
    roots = (f"data.parts.{name}.root={tmp_path / name[0].upper()}" for name in ("faces", "jaffe"))
    data = typed("train", "data=faces_jaffe", *roots).data
    rows = data.rows()
    used = [row for row in rows if row.emotion in data.only]
    assert len(rows) == 2052 + 213
    assert not any(row.unusable for row in rows)
    assert len(used) == 1710 + 183  # paper C, Table 1
    assert {row.source for row in used if row.emotion == "surprise"} == {"jaffe"}
    assert data.native_channels == 3


def test_what_is_cropped_says_so_to_the_job_and_for_itself() -> None:
    for name in registry.corpora.builtin:
        text = (CONF / "data" / f"{name}.yaml").read_text(encoding="utf-8")
        assert ("whole_image" in text) == registry.corpora.load(name).crops, name


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["fit.batch_size=0"], "fit.batch_size=0: give"),
        (["data@test=table", "test.split.val=3"], "test.split.val=3.0, test.split.test=0.1"),
        (["data@test=drawn", "test.count=0"], "test.count=0: give at least test.frames=1"),
        (["detector@fit.detector=mtcnn", "fit.detector.margin=3"], "fit.detector.margin=3.0: give"),
        (["detector@test.detector=mtcnn"], "pass data@test=NAME, too"),
        (["test_split=val"], "test_split=val needs other faces"),
        (["fit_split=most"], "fit_split=most: choose from train, val, test, all"),
    ],
)
def test_mistakes_in_a_relocated_block_are_told_by_its_own_keys(
    overrides: list[str], told: str
) -> None:
    with pytest.raises(UserError) as error:
        typed("probe", *overrides)
    assert told in str(error.value)
    assert "data." not in str(error.value)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["run=null"], "run is required"),
        (["layer=null"], "layer is required"),
        (["run=null", "feature=pixels"], "layer=discriminator.block4 and feature=pixels each name"),
        (["feature=pixels"], "run=RUN and feature=pixels each name the features"),
    ],
)
def test_a_probe_needs_one_feature_space(overrides: list[str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        _ = typed("probe", *overrides).space
    config = typed("probe")
    assert (config.space.name, str(config.space.run)) == ("layer", "RUN")


def schemas() -> set[type[Any]]:
    """All configuration dataclasses, nested ones too."""
    roots: list[type[Any]] = list(JOB_SCHEMAS.values())
    roots += [r.load(name) for r in GROUPS.values() for name in r.builtin]
    found: set[type[Any]] = set()
    for schema in roots:
        found.add(schema)
        found |= {
            f.default_factory  # type: ignore[misc]
            for f in fields(schema)
            if isinstance(f.default_factory, type)
            and hasattr(f.default_factory, "__dataclass_fields__")
        }
    return found


def attributes_read(source: Path) -> set[str]:
    """Names read as attributes, outside the checks of ``__post_init__``."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    checks = [n for n in ast.walk(tree) if getattr(n, "name", "") == "__post_init__"]
    inside = {id(node) for check in checks for node in ast.walk(check)}
    nodes = (n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and id(n) not in inside)
    return {node.attr for node in nodes}


def test_every_key_is_read_somewhere() -> None:
    read = set().union(*(attributes_read(source) for source in PACKAGE.rglob("*.py")))
    unread = {f"{s.__name__}.{f.name}" for s in schemas() for f in fields(s) if f.name not in read}
    assert not unread
