"""Tables of the comparison of archives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fer_lightning.analysis.archives import ArchiveFigures, ClassCounts, class_names, label_shares
from fer_lightning.analysis.losses import Rate
from fer_lightning.analysis.markdown import markdown_table, number
from fer_lightning.analysis.statistics import CONFIDENCE
from fer_lightning.analysis.tables import ABSENT, shown
from fer_lightning.data.archive import UNKNOWN
from fer_lightning.labels import NEUTRAL


def summary_table(compared: Sequence[ArchiveFigures]) -> str:
    """What each archive is and what its detector found; an archive a column."""
    totals = [one.total for one in compared]
    shifts = [one.shift if one.detector else None for one in compared]
    rows = [
        ["", *(one.name for one in compared)],
        ["corpus", *(str(one.archive.manifest.get("corpus", ABSENT)) for one in compared)],
        ["detector", *_detectors(compared)],
        ["image size", *(str(one.archive.manifest["image_size"]) for one in compared)],
        ["source images", *(f"{total.source:,}" for total in totals)],
        ["decoded images", *(_decoded(o, t) for o, t in zip(compared, totals, strict=True))],
        ["with a face found", *(_rate(total.rate) for total in totals)],
        ["faces in the archive", *(f"{total.archive:,}" for total in totals)],
        ["near-duplicates inside", *(_inside(one.archive.manifest) for one in compared)],
        ["milliseconds an image", *(number(one.milliseconds) for one in compared)],
        ["labels moved by", *(percent(s.distance if s else None) for s in shifts)],
        ["by chance less than", *(percent(s.by_chance if s else None) for s in shifts)],
    ]
    return markdown_table(rows)


def _detectors(compared: Sequence[ArchiveFigures]) -> list[str]:
    """Names, with the settings in which archives of one detector differ."""
    texts = []
    for one in compared:
        own = one.detector
        if own is None:
            texts.append(ABSENT)
            continue
        alike = [o.detector for o in compared if o.detector and o.detector["name"] == own["name"]]
        differing = [k for k in own if any(other.get(k) != own[k] for other in alike)]
        settings = ", ".join(f"{key}={shown(own[key])}" for key in differing)
        texts.append(f"{own['name']} ({settings})" if settings else str(own["name"]))
    return texts


def _decoded(one: ArchiveFigures, total: ClassCounts) -> str:
    return f"{total.decoded:,}" if one.detector else ABSENT


def _inside(manifest: Mapping[str, Any]) -> str:
    found = manifest.get("near_duplicates")
    return ABSENT if found is None else f"{found['images']:,}"


def counts_table(compared: Sequence[ArchiveFigures]) -> str:
    """Images of each class in the source and in the archive, as paper C's Table 1 has them."""
    names = class_names(compared)
    expressive = [name for name in names if name not in (NEUTRAL, UNKNOWN)]
    headings = ("source", "archive", "left out", "share without neutral")
    rows = [["class", *(f"{one.name}, {heading}" for one in compared for heading in headings)]]
    summed = {name: [name] for name in names} | {"without neutral": expressive, "all": names}
    for heading, among in summed.items():
        row = [heading]
        for one in compared:
            counts, whole = one.together(among), one.together(expressive).archive
            left_out = 1 - counts.archive / counts.source if counts.source else None
            share = counts.archive / whole if whole and set(among) <= set(expressive) else None
            row += [f"{counts.source:,}", f"{counts.archive:,}"]
            row += [percent(left_out), percent(share)]
        rows.append(row)
    return markdown_table(rows)


def found_tables(compared: Sequence[ArchiveFigures]) -> str:
    """Share found of each class, and that share relative to the one over all classes."""
    shares = [["class", *(one.name for one in compared)]]
    relative = [["class", *(one.name for one in compared)]]
    for name in class_names(compared):
        rates = [one.classes[name].rate if name in one.classes else None for one in compared]
        shares.append([name, *map(_rate, rates)])
        relative.append([name, *map(_relative, rates, (one.total.rate for one in compared))])
    shares.append(["total", *(_rate(one.total.rate) for one in compared)])
    return (
        f"Share found [{100 * CONFIDENCE:.0f} % interval] found / decoded:\n\n"
        f"{markdown_table(shares)}\n\nShare found, relative to that over all classes; under 1, "
        f"the class loses more than others:\n\n{markdown_table(relative)}"
    )


def _relative(rate: Rate | None, overall: Rate | None) -> str:
    if rate is None or overall is None or not overall.count:
        return ABSENT
    return f"{rate.value / overall.value:.3f}"


def labels_table(compared: Sequence[ArchiveFigures]) -> str:
    """Share of each class among the labelled images, in the sources and in the archives."""
    columns = label_shares(compared)
    rows = [["class", *(heading for heading, _ in columns)]]
    for name in class_names(compared):
        if name != UNKNOWN:
            rows.append([name, *(percent(shares.get(name)) for _, shares in columns)])
    return markdown_table(rows)


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return ABSENT
    low, high = rate.interval
    return (
        f"{100 * rate.value:.1f} % [{100 * low:.1f}, {100 * high:.1f}] {rate.count:,} / {rate.of:,}"
    )


def percent(share: float | None) -> str:
    """A share with two digits, or what stands for none."""
    return ABSENT if share is None else f"{100 * share:.2f} %"
