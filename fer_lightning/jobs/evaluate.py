"""``fer evaluate``: measure a trained model against real faces."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fer_lightning.checkpoints import checkpoint_of, load_hashed
from fer_lightning.config.evaluate import EvaluateConfig
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.duplicates import leak_warning, seen_in_training
from fer_lightning.data.fingerprint import digest
from fer_lightning.data.recorded import domains_of_run, faces_of_run
from fer_lightning.devices import chosen_device
from fer_lightning.errors import UserError, naming
from fer_lightning.evaluations import damaged, finished
from fer_lightning.features.inception import InceptionConfig
from fer_lightning.loggers.wandb_results import show_results
from fer_lightning.metrics.editing_evaluator import EditingEvaluator
from fer_lightning.metrics.editing_judges import editing_judges
from fer_lightning.metrics.evaluator import Evaluator
from fer_lightning.metrics.generation import GenerationEvaluator
from fer_lightning.metrics.judges import judges_of
from fer_lightning.metrics.recognition import RecognitionEvaluator
from fer_lightning.metrics.translation import TranslationEvaluator
from fer_lightning.models.base import TrainingModule
from fer_lightning.models.classifier.module import Classifier
from fer_lightning.models.editing import EditingModule
from fer_lightning.models.egc_gan.module import EGCGAN
from fer_lightning.models.sampling import SamplingModule
from fer_lightning.runs import SCHEMA, JobResult, command_line, provenance, write_json

PURPOSES = {
    "evaluation": "evaluation.* is for generating models",
    "recognition": "recognition.* is for classifiers",
    "translation": "translation.* is for models that translate",
    "editing": "editing.* is for models that edit",
}
"""What each block of settings is for."""

KINDS = {
    "evaluation": "a generating model",
    "recognition": "a classifier",
    "translation": "a model that translates",
    "editing": "a model that edits",
}
"""One of the models that each is for."""


@dataclass(frozen=True)
class Faces:
    """What a model is measured on.

    Attributes:
        measured: The real faces.
        trained_on: Those that the model was trained on (the source domain's where it has two), or
            why they are not to be had.
        target: The target domain's of its training; None where there is none, or they are not to
            be had.
    """

    measured: FaceDataModule
    trained_on: FaceDataModule | str
    target: FaceDataModule | None = None


def run(config: EvaluateConfig) -> JobResult:
    """Measure, or find the same measurement, and print it.

    Raises:
        UserError: If the run holds no model, or the faces are not to be had; names the key.
    """
    folder = config.run.expanduser()
    checkpoint = checkpoint_of(folder)
    module, checkpoint_key = load_hashed(checkpoint)
    module.to(chosen_device(config.accelerator))
    _refuse(config, module)
    faces = _faces(config, folder, module)
    evaluator = _evaluator(config, module, faces)
    protocol = {"checkpoint": checkpoint_key, **evaluator.protocol(module)}
    path = _path(folder, protocol)
    done = None if config.force else finished(path)
    if done is not None:
        print("this was measured before; force=true measures again")
        return _show(evaluator, path, done)
    started = time.monotonic()
    measured = evaluator.measure(module)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "schema": SCHEMA,
        "job": "evaluate",
        "run": str(config.run),
        "metrics": measured.metrics,
        "intervals": measured.intervals,
        "protocol": {**protocol, **measured.protocol},
        "images_seen": module.images_seen,
        "checkpoint": protocol["checkpoint"],
        "seed": protocol["seed"],
        "seconds": round(time.monotonic() - started, 3),
        "device": str(module.device),
        "threads": torch.get_num_threads(),
        "archives": [archive.record for archive in faces.measured.archives],
        "near_duplicates": _seen(faces, config.split),
        **measured.details,
        "command": command_line(),
        **provenance(),
    }
    with naming(path):
        evaluator.write(path, measured)
    write_json(path, content)
    show_results(path, content, config.logger)
    return _show(evaluator, path, content)


def _refuse(config: EvaluateConfig, module: TrainingModule) -> None:
    """Settings that are for other kinds of models, or a model that is of none."""
    kinds = {
        "recognition": Classifier,
        "evaluation": SamplingModule,
        "translation": EGCGAN,
        "editing": EditingModule,
    }
    own = next((key for key, kind in kinds.items() if isinstance(module, kind)), None)
    if own is None:
        raise UserError(
            f"run={config.run}: {type(module).__name__} neither generates nor recognises nor "
            "translates nor edits, so it cannot be measured here"
        )
    for key, purpose in PURPOSES.items():
        given = getattr(config, key)
        if key != own and given != type(given)():
            raise UserError(f"{purpose}; {KINDS[own]}: {own}.*")
    if own != "evaluation" and config.feature != InceptionConfig():
        raise UserError(
            f"feature={config.feature.name} is for generating models; leave it out for "
            f"{KINDS[own]}, or give feature.run=RUN and the run of a GAN"
        )


def _evaluator(config: EvaluateConfig, module: TrainingModule, faces: Faces) -> Evaluator[Any]:
    """What measures this kind of model."""
    measured, trained_on = faces.measured, faces.trained_on
    own = None if isinstance(trained_on, str) else trained_on
    if isinstance(module, Classifier):
        return RecognitionEvaluator(measured, config.split, config.recognition)
    if isinstance(module, EGCGAN):
        settings = config.translation
        judges = judges_of(module, settings.classifiers)
        return TranslationEvaluator(measured, config.split, judges, settings, own, faces.target)
    if isinstance(module, EditingModule):
        asked = editing_judges(module.classes, config.editing.classifiers)
        return EditingEvaluator(measured, config.split, asked, config.editing, own)
    return GenerationEvaluator(
        measured, config.split, [config.feature], config.evaluation, trained_on=trained_on
    )


def _faces(config: EvaluateConfig, folder: Path, module: TrainingModule) -> Faces:
    """The real faces, and those that the model was trained on or why they are not to be had."""
    if config.data is None:
        try:
            trained_on, target = _trained_on(folder, module)
        except UserError as error:
            raise UserError(
                f"run={config.run}: its own faces are not to be had ({error}); pass data=… to "
                "measure against others"
            ) from error
        return Faces(trained_on, trained_on, target)
    if config.detector is None:
        raise UserError("detector=null: data= needs a detector, such as detector=mtcnn")
    shape = module.description["faces"]
    faces = FaceDataModule(
        config.data,
        config.detector,
        shape["image_size"],
        shape["channels"],
        module.seed,
        module.classes,
        module.labelled,
    )
    faces.setup()
    try:
        return Faces(faces, *_trained_on(folder, module))
    except UserError as error:
        print(
            f"fer: warning: copies of training images are not looked for: {error}", file=sys.stderr
        )
        return Faces(faces, str(error))


def _trained_on(
    folder: Path, module: TrainingModule
) -> tuple[FaceDataModule, FaceDataModule | None]:
    """The faces of the training; of one between two domains the source's and the target's."""
    if isinstance(module, EGCGAN):
        domains = domains_of_run(folder, module.classes)
        return domains.source, domains.target
    return faces_of_run(folder, module.labelled), None


def _seen(faces: Faces, split: str) -> dict[str, dict[str, int]]:
    """How many of the held-out real images resemble training images; empty for other parts."""
    if isinstance(faces.trained_on, str) or split not in ("val", "test"):
        return {}
    return seen_in_training(faces.measured, faces.trained_on, [split])


def _path(folder: Path, protocol: dict[str, Any]) -> Path:
    # Why a network was skipped may be said in other words the next time.
    name = digest({**protocol, "skipped": sorted(protocol.get("skipped", []))})[:8]
    file = f"evaluate-{protocol['corpus']}-{protocol['split']}-{name}.json"
    return folder / "evaluations" / file


def _show(evaluator: Evaluator[Any], path: Path, content: dict[str, Any]) -> JobResult:
    for archive in content.get("archives", []):
        if "remark" in archive:
            print(archive["remark"])
    try:
        lines = list(evaluator.report(path, {"intervals": {}, **content}))
    except (KeyError, TypeError, AttributeError) as error:
        raise damaged(path, error) from error
    print("\n".join(lines))
    warning = leak_warning(content.get("near_duplicates", {}))  # older files have none
    if warning:
        print(warning, file=sys.stderr)
    print(f"evaluation: {path}")
    return JobResult(path, content["metrics"])
