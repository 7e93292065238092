"""Measured numbers as a table for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

_NONE: Mapping[str, Sequence[float]] = MappingProxyType({})


def table(metrics: Mapping[str, float]) -> str:
    """All images first, one metric a line; then one line a class, one metric a column.

    Args:
        metrics: Name to value; ``name/class`` is of one class.
    """
    return "\n".join([*_overall(metrics, ".5g"), *_by_class(metrics, ".5g")])


def recognition_table(
    metrics: Mapping[str, float], intervals: Mapping[str, Sequence[float]]
) -> str:
    """What :func:`table` shows, of a classifier, and intervals beside the overall numbers.

    Args:
        metrics: Name to value; ``name/class`` is of one class.
        intervals: Name to (low, high); those of classes are not shown.
    """
    shown = {name: ends for name, ends in intervals.items() if "/" not in name}
    lines = [*_overall(metrics, ".4f", shown), *_by_class(metrics, ".4f")]
    if shown:
        lines += [
            "",
            "[low, high]: 95 % interval over resamples of these images, not over trainings",
        ]
    return "\n".join(lines)


def _overall(
    metrics: Mapping[str, float], form: str, intervals: Mapping[str, Sequence[float]] = _NONE
) -> Iterator[str]:
    overall = {name: value for name, value in metrics.items() if "/" not in name}
    width = max((len(name) for name in overall), default=0)
    for name, value in overall.items():
        ends = ", ".join(format(end, form) for end in intervals.get(name, ()))
        yield f"{name:<{width}}  {value:>11{form}}" + (f"  [{ends}]" if ends else "")


def _by_class(metrics: Mapping[str, float], form: str) -> Iterator[str]:
    """An empty line, a heading and one line a class, or nothing without classes."""
    cells = {tuple(name.split("/", 1)): value for name, value in metrics.items() if "/" in name}
    columns = [name for name in dict.fromkeys(key[0] for key in cells) if not _is_spread(name)]
    classes = list(dict.fromkeys(key[1] for key in cells))
    if not cells:
        return
    first = max(len(name) for name in classes)
    yield ""
    yield " " * first + "".join(f"  {name:>11}" for name in columns)
    for emotion in classes:
        row = ""
        for name in columns:
            value = cells.get((name, emotion))
            row += f"  {'-' if value is None else format(value, form):>{max(11, len(name))}}"
        yield f"{emotion:<{first}}{row}"


def cautions(protocol: Mapping[str, Any]) -> Iterator[str]:
    """What a protocol says about its numbers that is easily taken for something else."""
    # Of a model without classes, `labelled` counts all images of the corpus.
    kind = "images" if protocol.get("classes") == {} else "labelled images"
    yield (
        f"{protocol['count']:,} of the {protocol['labelled']:,} {kind} of "
        f"{protocol['corpus']} were measured"
        + ("" if protocol["split"] == "all" else "; split=all takes every one")
    )
    if protocol["unknown_emotions"]:
        yield f"left out, since the model does not know them: {protocol['unknown_emotions']}"
    if protocol.get("extra"):
        yield (
            f"{protocol['extra']:,} of them are of data.extra, not of the corpus: numbers on them "
            "say nothing about real faces (data.extra_everywhere)"
        )
    trained = protocol.get("trained_on")
    if trained is not None and trained.get("no_yardstick"):
        yield (
            f"{trained['no_yardstick']:,} of the measured images are training images and no "
            "yardstick for copies"
        )
    spaces = [
        f"{', '.join(found['groups'])} in {name} ({found['dimensions']:,})"
        for name, found in protocol.get("below_dimensions", {}).items()
    ]
    if spaces:
        yield (
            "fewer images than dimensions, so that Fréchet distances are too high and hold only "
            f"beside others of equal count: {'; '.join(spaces)}"
        )


def translation_cautions(protocol: Mapping[str, Any], runs: Sequence[str]) -> Iterator[str]:
    """The same of translations: what makes their rates more, or less, than they seem.

    Args:
        protocol: Of the evaluation.
        runs: Folders of its classifiers.
    """
    judges = list(zip(protocol["classifiers"], runs, strict=True))
    within = [run for judge, run in judges if judge["in_loss"]]
    if within:
        yield (
            f"{', '.join(within)} stood in the model's loss, which asks for translations that it "
            "names well: its rate after them is no independent test"
            + ("" if len(judges) > len(within) else "; give translation.classifiers=[RUN,RUN]")
        )
    yield from _exposed("the model", protocol["trained_on"], "learnt to translate")
    if protocol["trained_on"] is not None and protocol["trained_on"]["seen"]:
        yield (
            "the labels of what it learnt to translate stood in its loss: rates after translation "
            "are of its training, too (transductive)"
        )
    if protocol["told_label"]:
        yield (
            "the model is told the true emotion of each face (model.generator_label): rates after "
            "translation show what it draws, and not what it finds in a face"
        )
    for judge, run in judges:
        yield from _exposed(run, judge)


def editing_cautions(protocol: Mapping[str, Any], runs: Sequence[str]) -> Iterator[str]:
    """The same of edits, and why something is not measured at all.

    Args:
        protocol: Of the evaluation.
        runs: Folders of its classifiers.
    """
    yield from protocol["skipped"].values()
    yield from _exposed("the model", protocol["trained_on"])
    for run, judge in zip(runs, protocol["classifiers"], strict=True):
        yield from _exposed(run, judge)
    reader = protocol["reader"]
    if reader is not None and reader["people_in_both"] is None:
        yield "whether intensity_rank is of unseen people is unknown: the archive names none"
    elif reader is not None and reader["people_in_both"]:
        yield (
            "intensity_rank and intensity_reader are not of unseen people: the reader has learnt "
            f"from {reader['people_in_both']:,} who are measured, too (data.split.scheme=subject "
            "keeps them apart)"
        )


def _exposed(
    name: str, found: Mapping[str, Any] | None, how: str = "was trained on"
) -> Iterator[str]:
    """What :func:`~fer_lightning.metrics.exposure.exposure` has found of a network."""
    seen, people = (found or {}).get("seen"), (found or {}).get("people_seen")
    known = [f"{seen:,} of these faces"] if seen else []
    known += [f"faces of {people:,} of these people"] if people else []
    if known:
        yield f"{name} {how} {' and '.join(known)}"
    if seen is None:
        yield f"whether {name} was trained on these faces is unknown"
    elif people is None:
        yield f"whether {name} was trained on other faces of these people is unknown"


def unmeasured(protocol: Mapping[str, Any]) -> Iterator[str]:
    """What has no value, by reason, and what was skipped as a whole."""
    reasons: dict[str, list[tuple[str, str]]] = {}
    for full, reason in protocol["left_out"].items():
        name, _, group = full.partition("/")
        if not name.endswith("_sd"):
            reasons.setdefault(reason, []).append((name, group or "all"))
    for reason, found in reasons.items():
        names, groups = (", ".join(dict.fromkeys(part)) for part in zip(*found, strict=True))
        yield f"not measured ({reason}): {names} of {groups}"
    if protocol.get("skipped"):
        yield f"skipped: {', '.join(protocol['skipped'])}"


def _is_spread(name: str) -> bool:
    """Deviations would double the columns; the file has them."""
    return name.endswith("_sd")
