"""``fer evaluate``: measure a trained model against real faces."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import torch

from fer_lightning.checkpoints import checkpoint_of, load_hashed
from fer_lightning.config.evaluate import EvaluateConfig, EvaluationConfig, RecognitionConfig
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.duplicates import leak_warning, seen_in_training
from fer_lightning.data.fingerprint import digest
from fer_lightning.data.recorded import faces_of_run
from fer_lightning.devices import chosen_device
from fer_lightning.errors import UserError, naming
from fer_lightning.evaluations import damaged, finished
from fer_lightning.features.inception import InceptionConfig
from fer_lightning.metrics.evaluator import Evaluator
from fer_lightning.metrics.generation import GenerationEvaluator
from fer_lightning.metrics.recognition import RecognitionEvaluator
from fer_lightning.models.base import AdversarialModule, TrainingModule
from fer_lightning.models.classifier.module import Classifier
from fer_lightning.runs import SCHEMA, JobResult, command_line, provenance, write_json


def run(config: EvaluateConfig) -> JobResult:
    """Measure, or find the same measurement, and print it.

    Raises:
        UserError: If the run holds no model, or the faces are not to be had; names the key.
    """
    folder = config.run.expanduser()
    checkpoint = checkpoint_of(folder)
    module, checkpoint_key = load_hashed(checkpoint)
    module.to(chosen_device(config.accelerator))
    faces, trained_on = _faces(config, folder, module)
    evaluator = _evaluator(config, module, faces, trained_on)
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
        "archives": [archive.record for archive in faces.archives],
        "near_duplicates": _seen(faces, trained_on, config.split),
        **measured.details,
        "command": command_line(),
        **provenance(),
    }
    with naming(path):
        evaluator.write(path, measured)
    write_json(path, content)
    return _show(evaluator, path, content)


def _evaluator(
    config: EvaluateConfig,
    module: TrainingModule,
    faces: FaceDataModule,
    trained_on: FaceDataModule | str,
) -> Evaluator[Any]:
    """What measures this kind of model."""
    if isinstance(module, Classifier):
        if config.evaluation != EvaluationConfig():
            raise UserError("evaluation.* is for generating models; a classifier: recognition.*")
        if config.feature != InceptionConfig():
            raise UserError(
                f"feature={config.feature.name} is for generating models; leave it out for a "
                "classifier, or give feature.run=RUN and the run of a GAN"
            )
        return RecognitionEvaluator(faces, config.split, config.recognition)
    if isinstance(module, AdversarialModule):
        if config.recognition != RecognitionConfig():
            raise UserError("recognition.* is for classifiers; a generating model: evaluation.*")
        return GenerationEvaluator(
            faces, config.split, [config.feature], config.evaluation, trained_on=trained_on
        )
    raise UserError(
        f"run={config.run}: {type(module).__name__} neither generates nor recognises, so it cannot "
        "be measured here"
    )


def _faces(
    config: EvaluateConfig, folder: Path, module: TrainingModule
) -> tuple[FaceDataModule, FaceDataModule | str]:
    """The real faces, and those that the model was trained on or why they are not to be had."""
    if config.data is None:
        try:
            own = faces_of_run(folder, module.labelled)
        except UserError as error:
            raise UserError(
                f"run={config.run}: its own faces are not to be had ({error}); pass data=… to "
                "measure against others"
            ) from error
        return own, own
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
        return faces, faces_of_run(folder, module.labelled)
    except UserError as error:
        print(
            f"fer: warning: copies of training images are not looked for: {error}", file=sys.stderr
        )
        return faces, str(error)


def _seen(
    faces: FaceDataModule, trained_on: FaceDataModule | str, split: str
) -> dict[str, dict[str, int]]:
    """How many of the held-out real images resemble training images; empty for other parts."""
    if isinstance(trained_on, str) or split not in ("val", "test"):
        return {}
    return seen_in_training(faces, trained_on, [split])


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
