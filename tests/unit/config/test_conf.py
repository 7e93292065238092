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
from fer_lightning.config.registration import JOB_SCHEMAS, register
from fer_lightning.detectors.retinaface import VARIABLE, Backbone
from fer_lightning.detectors.retinaface_network import RetinaFaceNetwork
from fer_lightning.models.config import FaceFormat

CONF = cli.conf_dir()
PACKAGE = Path(cli.__file__).parent
GROUPS = {r.config_group: r for r in registry.REGISTRIES}
NEEDS = {
    "generate": ["run=RUN"],
    "evaluate": ["run=RUN"],
    "compare": ["runs=[RUN]", "out=OUT"],
}
"""What a job cannot be composed without."""


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
    measured += ["feature.run=RUN"] if name == "classifier" and group == "feature" else []
    config = typed("study" if group == "study" else "train", f"{group}={name}", *measured)
    if group in GROUPS:
        assert type(getattr(config, group)) is GROUPS[group].load(name)
        assert getattr(config, group).name == name


@pytest.mark.parametrize("path", sorted(CONF.glob("model/*.yaml")), ids=lambda p: p.stem)
def test_every_model_is_built(path: Path) -> None:
    model = typed("train", f"model={path.stem}", "model.width=2").model
    faces = FaceFormat(image_size=16, channels=3, classes=["fear", "anger"], frequencies=[1, 2])
    assert sum(p.numel() for p in model.build(faces, seed=0).parameters()) > 0


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
        assert {p.stem for p in (CONF / group).glob("*.yaml")} == set(known.builtin)


def test_every_top_level_yaml_is_a_job_or_part_of_one() -> None:
    assert {p.stem for p in CONF.glob("*.yaml")} == {*cli.JOBS, "job"}


def test_fer2013_brings_its_detector_and_the_command_line_wins() -> None:
    assert typed("train", "data=fer2013").detector.name == "whole_image"
    assert typed("train", "data=fer2013", "detector=mtcnn").detector.name == "mtcnn"


def test_a_block_may_have_a_detector_of_its_own() -> None:
    config = typed("train", "detector@data.detector=whole_image")
    assert config.detector.name == "mtcnn"
    assert config.data.detector.name == "whole_image"


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
