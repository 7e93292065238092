"""What has to be said of a probe's numbers, lest they be taken for more than they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_lightning.config.probe import Method, ProbeSettings, Task
from fer_lightning.data.recorded import trained_archives
from fer_lightning.errors import UserError
from fer_lightning.features.network import FeatureNetwork
from fer_lightning.probe.answers import Answers, method_of
from fer_lightning.probe.protocols import Outcome
from fer_lightning.probe.reading import ProbeSet


def notes(
    run: Path | None,
    network: FeatureNetwork,
    sets: Sequence[ProbeSet],
    answers: Answers,
    settings: ProbeSettings,
) -> list[str]:
    """All that a reader has to be told.

    Args:
        run: Run folder of the network; None where it is not ours.
        network: Gave the features.
        sets: The faces, those fitted first.
        answers: What came out.
        settings: Of the probe.
    """
    return [
        *_trained_on(run, network, sets),
        *_resized(network, sets),
        *_of_folds(answers),
        *_of_units(sets, answers),
        *_of_size(answers, settings),
    ]


def _trained_on(
    run: Path | None, network: FeatureNetwork, sets: Sequence[ProbeSet]
) -> Iterator[str]:
    if run is None:
        return
    try:
        trained = trained_archives(run)
    except UserError as error:
        yield f"whether the network was trained on these very images is unknown: {error}"
        return
    for each in (each for each in sets if not trained.isdisjoint(each.keys)):
        what = f"the network was trained on images of {each.place} ({each.corpus})"
        how = "with their labels" if network.labelled else "without their labels"
        if each is not sets[-1]:
            yield f"{what}, {how}"
        elif network.labelled:
            yield f"{what}, {how}: what it scores on them is no test"
        else:
            yield f"{what}, {how}: these numbers are transductive, as paper D's own are"


def _resized(network: FeatureNetwork, sets: Sequence[ProbeSet]) -> Iterator[str]:
    if network.faces is None:
        return
    for each in sets:
        size, own = network.faces["image_size"], each.faces.archives[0].shape[1]
        if size != own:
            yield f"faces of {each.place} have {own} pixels; the network is shown them at {size}"


def _of_folds(answers: Answers) -> Iterator[str]:
    done = answers.outcomes
    if {"random", "grouped"} <= done.keys():
        yield (
            "random folds fit other images of the people that they test, as paper D's do; grouped "
            "folds test on people of whom no image was fitted"
        )
    elif "random" in done:
        yield (
            "random folds may fit near duplicates of what they test; grouped folds were not "
            f"possible: {answers.reasons['grouped']}"
        )
    if answers.task is Task.emotion and "random" in done:
        yield (
            f"{_best_of_search(done)} the best of the search, which has seen every label, and so "
            "too kind; the nested ones search anew in every fold"
        )
    for name, reason in answers.reasons.items():
        if name.endswith("_nested") and reason != "probe.nested=false":
            yield f"probe_accuracy_{name} was not measured: {reason}"


def _best_of_search(done: Mapping[str, Outcome]) -> str:
    """The accuracies that a search over the same folds has chosen."""
    found = [f"probe_accuracy_{name}" for name in ("random", "grouped") if name in done]
    return f"{' and '.join(found)} {'are' if len(found) > 1 else 'is'}"


def _of_units(sets: Sequence[ProbeSet], answers: Answers) -> Iterator[str]:
    if answers.task is not Task.au:
        return
    for each in (each for each in sets if each.relabelled):
        yield (
            f"{each.corpus} has no coded action units: those of {each.place} are told from its "
            "emotions by paper D, Table VI, so that AU6 is happiness, AU9 disgust, AU27 surprise, "
            "and AU7, AU23 and AU24 are all anger"
        )
    if together := _shown_together(answers):
        yield f"units that the tested faces always show together ask one thing: {together}"


def _shown_together(answers: Answers) -> str:
    """Groups of units that are there, absent and unknown in the same of the tested rows."""
    alike: dict[bytes, list[str]] = {}
    for name, own in zip(answers.names, answers.truth.T, strict=True):
        if (own == 1).any():
            alike.setdefault(own.tobytes(), []).append(name)
    return "; ".join(", ".join(group) for group in alike.values() if len(group) > 1)


def _of_size(answers: Answers, settings: ProbeSettings) -> Iterator[str]:
    if settings.max_rows is not None:
        fitted: Mapping[str, Any] = answers.outcomes[answers.honest].settings
        yield f"fitted to a stratified draw of {fitted['rows_fitted']:,} images (probe.max_rows)"
    if settings.nystroem is not None and method_of(answers.task, settings) is Method.svm_rbf:
        yield f"the RBF kernel is approximated by {settings.nystroem:,} Nyström features"
