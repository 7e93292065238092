"""The comparison of archives as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fer_lightning.analysis.agreement import NearDuplicates, SameImages
from fer_lightning.analysis.archives import ArchiveFigures, ClassCounts, class_names
from fer_lightning.analysis.archives_tables import (
    counts_table,
    found_tables,
    labels_table,
    percent,
    summary_table,
)
from fer_lightning.analysis.losses import DRAWS
from fer_lightning.analysis.markdown import markdown_table, number
from fer_lightning.analysis.statistics import CONFIDENCE
from fer_lightning.analysis.tables import ABSENT
from fer_lightning.data.archive import UNKNOWN

TITLE_LENGTH = 60
"""Names of archives that need more characters do not stand in the title."""


@dataclass(frozen=True, kw_only=True)
class ArchiveComparison:
    """All that the page tells.

    Attributes:
        command: What made the page.
        compared: The archives.
        same: Agreement where archives were made from the same images.
        duplicates: Near-duplicates where they were not.
    """

    command: str
    compared: Sequence[ArchiveFigures]
    same: Sequence[SameImages]
    duplicates: Sequence[NearDuplicates]

    @property
    def title(self) -> str:
        """What is compared."""
        names = [one.name for one in self.compared]
        listed = ", ".join(names)
        return listed if len(listed) <= TITLE_LENGTH else f"{len(names)} archives"


def archives_markdown(comparison: ArchiveComparison) -> str:
    """The whole page."""
    compared = comparison.compared
    detected = [one for one in compared if one.detector]
    sections = [
        f"# {comparison.title}",
        f"- this page: `{comparison.command}`",
        "## Archives\n\n" + summary_table(compared),
        _bullets(_archive_notes(compared)),
        "## Images, by class\n\n" + counts_table(detected) if detected else "",
        "## Faces found, by class\n\n" + found_tables(detected) if detected else "",
        _bullets([loss_sentence(one) for one in detected]),
        "## Labels\n\n" + labels_table(compared) if class_names(compared) != [UNKNOWN] else "",
        _bullets([text for one in compared if (text := shift_sentence(one))]),
        *(_same(group) for group in comparison.same),
        _duplicates(comparison) if len(compared) > 1 else "",
        "## Where they are\n\n" + _places(compared),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def archives_summary(comparison: ArchiveComparison) -> str:
    """What is printed: the table, and what the losses do to the classes."""
    compared = comparison.compared
    told = [loss_sentence(one) for one in compared if one.detector]
    told += filter(None, map(shift_sentence, compared))
    return "\n".join([summary_table(compared), *told])


def loss_sentence(one: ArchiveFigures) -> str:
    """Which classes lose most and least, and whether that can be chance."""
    counts = {name: c for name, c in one.labelled.items() if c.decoded}
    if one.total.found == one.total.decoded:
        return f"{one.name} finds a face in every image that could be decoded."
    if not counts:
        return f"{one.name}: no image has a label."
    if not any(c.lost for c in counts.values()):
        return f"{one.name} loses images without a label alone."
    shares = {name: c.lost / c.decoded for name, c in counts.items()}
    most, least = (
        [name for name, share in shares.items() if share == end(shares.values())]
        for end in (max, min)
    )
    if most == least:
        text = f"{one.name} loses {_lost(most, counts)}"
        return f"{text}, the same share of each." if len(most) > 1 else f"{text}."
    text = f"{one.name} loses most of {_lost(most, counts)} and least of {_lost(least, counts)}."
    test = one.dependence
    if test is None:
        return text
    verdict = "depends" if test.rejects else "is not shown to depend"
    return (
        f"{text} Whether a face is found {verdict} on the class: χ² = {number(test.statistic)} "
        f"with {test.freedom} degrees of freedom, p {_p(test.p)}."
    )


def shift_sentence(one: ArchiveFigures) -> str:
    """How far the labels moved, and whether that can be chance; empty where nothing can be said."""
    moved = one.shift
    if moved is None or one.detector is None:
        return ""
    text = f"{one.name}: the labels moved by {percent(moved.distance)}"
    if moved.by_chance is None:
        return f"{text}; the detector dropped no image."
    more = "more" if moved.distance > moved.by_chance else "no more"
    return (
        f"{text}, {more} than chance explains: as many images lost at random move them by less "
        f"than {percent(moved.by_chance)} in {100 * CONFIDENCE:.0f} % of draws."
    )


def _archive_notes(compared: Sequence[ArchiveFigures]) -> list[str]:
    detected = [one for one in compared if one.detector]
    notes = []
    if detected:
        notes.append(
            "Shares are of the images that could be decoded, with 95 % Wilson intervals. What was "
            "left out before detection is no loss of the detector."
        )
        notes.append(
            "Milliseconds are spent in the detector, in one process; decoding and cropping are not "
            "among them."
        )
    notes += [
        f"{one.name}: {one.archive.manifest['remark']}"
        for one in compared
        if "remark" in one.archive.manifest
    ]
    for one in compared:
        total, dropped = one.total, one.total.source - one.total.archive
        left_out = total.excluded
        if one.detector is None:
            notes.append(f"{one.name} was generated: no detector looked for its faces.")
            continue
        if left_out:
            reasons = ", ".join(f"{why} {count:,}" for why, count in sorted(left_out.items()))
            notes.append(f"{one.name}, left out before detection: {reasons}.")
        if kept := total.lost - (dropped - left_out.total()):
            notes.append(
                f"{one.name} keeps {kept:,} images in which no face was found "
                f"(no_face={one.detector.get('no_face')})."
            )
        if one.milliseconds is None:
            notes.append(f"{one.name}: the time was not recorded when it was prepared.")
        if not one.searches:
            notes.append(f"{one.name} looks for nothing and takes every image for a face.")
    if len(detected) > 1 and any(one.images != detected[0].images for one in detected):
        notes.append(
            "The archives are not all of the same images: what differs between them may come from "
            "their sources."
        )
    return notes


def _same(group: SameImages) -> str:
    rows = [["", "", "both", "first alone", "second alone", "neither", "median IoU"]]
    rows += [
        [p.first, p.second, f"{p.both:,}", f"{p.only_first:,}", f"{p.only_second:,}",
         f"{p.neither:,}", number(p.overlap)]
        for p in group.pairs
    ]  # fmt: skip
    told = f"{group.images:,} images."
    if len(group.searching) > 1:
        told = (
            f"Of {group.images:,} images, {_listed(group.searching)} all find a face in "
            f"{group.found_by_all:,}, and none of them in {group.found_by_none:,}."
        )
    return (
        f"## The same images: {_listed(group.names)}\n\n{told}\n\n{markdown_table(rows)}\n\n"
        "IoU is the intersection over union of the detected boxes, before any margin, in images "
        "where both found a face; of several faces, that of the one that was cut."
    )


def _duplicates(comparison: ArchiveComparison) -> str:
    lines = [
        f"{one.first} and {one.second}: {one.in_first:,} faces of {one.first} have a "
        f"near-duplicate in {one.second}, {one.in_second:,} of {one.second} have one in "
        f"{one.first}."
        for one in comparison.duplicates
    ]
    lines += [
        f"{_listed(group.names)}: not counted, they were made from the same images."
        for group in comparison.same
    ]
    return "## Near-duplicates\n\n" + _bullets(lines)


def _places(compared: Sequence[ArchiveFigures]) -> str:
    return _bullets(
        f"{one.name}: `{one.archive.path}`, hash {one.archive.key[:8]}, made by "
        f"`{one.archive.manifest.get('command', ABSENT)}`"
        for one in compared
    )


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _lost(names: Sequence[str], counts: Mapping[str, ClassCounts]) -> str:
    texts = [
        f"{name} ({counts[name].lost:,} of {counts[name].decoded:,}, "
        f"{100 * counts[name].lost / counts[name].decoded:.1f} %)"
        for name in names
    ]
    return _listed(texts)


def _listed(texts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))


def _p(p: float) -> str:
    least = 1 / (1 + DRAWS)
    return f"≤ {least:.4f}" if p <= least else f"= {p:.4f}"
