"""``fer compare``: tables, a plot and a page of a study, of runs or of archives."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_lightning.analysis.agreement import duplicates_between, same_images
from fer_lightning.analysis.archives import archive_rows, figures
from fer_lightning.analysis.archives_page import (
    ArchiveComparison,
    archives_markdown,
    archives_summary,
)
from fer_lightning.analysis.archives_plot import archives_plot
from fer_lightning.analysis.comparison import Comparison
from fer_lightning.analysis.differences import differences, parse_baseline
from fer_lightning.analysis.html.content import content
from fer_lightning.analysis.html.document import document
from fer_lightning.analysis.latex import to_latex
from fer_lightning.analysis.page import means_table, to_markdown
from fer_lightning.analysis.plots import comparison_plot, difference_plot
from fer_lightning.analysis.records import Record, read_runs
from fer_lightning.analysis.studies import study_records
from fer_lightning.analysis.study_folders import StudyFolder, find_study, read_study
from fer_lightning.analysis.tables import (
    LENGTH,
    Group,
    choose_metrics,
    csv_rows,
    differing_keys,
    group,
    same_length,
    shown,
    sort_by_arm,
)
from fer_lightning.config.study import ARM, CompareConfig
from fer_lightning.data.archive import FaceArchive
from fer_lightning.errors import UserError
from fer_lightning.runs import JobResult, command_line, write_whole


def run(config: CompareConfig) -> JobResult:
    """Compare, write ``results.csv``, ``comparison.md`` and ``comparison.png``, print the table.

    Of runs and studies also ``comparison.html`` and ``comparison.tex``, of a study with arms and a
    baseline ``differences.png``.

    Raises:
        UserError: If there is nothing to compare, or a file or name is wrong.
    """
    out = config.out.expanduser()
    if out.exists() and not out.is_dir():
        raise UserError(f"out={out} is a file; give a folder")
    if config.archives:
        archives = compare_archives(config.archives)
        _make(out)
        _write_csv(out / "results.csv", archive_rows(archives.compared))
        archives_plot(archives.compared, out / "comparison.png", archives.title)
        write_whole(out / "comparison.md", archives_markdown(archives))
        print(archives_summary(archives))
        for number, found in enumerate(archives.duplicates, 1):
            if found.sheet is not None and config.pictures:
                sheet = out / f"near_duplicates-{number}.png"
                found.sheet.save(sheet)
                print(f"near-duplicates of {found.first} in {found.second}: {sheet}")
    else:
        folder = None if config.study_run is None else read_study(find_study(config.study_run))
        comparison = compare(config, folder)
        _make(out)
        rows = csv_rows(comparison.groups, comparison.keys, comparison.measured)
        _write_csv(out / "results.csv", rows)
        groups, metrics = comparison.groups, comparison.metrics
        comparison_plot(groups, metrics, out / "comparison.png", comparison.title)
        for name in comparison.pictures:
            difference_plot(comparison.differences, metrics, out / name, comparison.title)
        write_whole(out / "comparison.md", to_markdown(comparison))
        write_whole(out / "comparison.tex", to_latex(comparison))
        write_whole(out / "comparison.html", document(content(comparison, config.pictures)))
        print(means_table(comparison))
        for one in comparison.unfinished:
            print(f"{one.status}: {one.what} ({one.reason})")
    page = "comparison.md" if config.archives else "comparison.html"
    print(f"comparison: {out / page}")
    return JobResult(path=out)


def compare_archives(paths: Sequence[Path]) -> ArchiveComparison:
    """What the page tells of the archives at ``paths``.

    Raises:
        UserError: If one is no archive, or is there twice.
    """
    compared = figures([FaceArchive.open(path.expanduser()) for path in paths])
    return ArchiveComparison(
        command=command_line(),
        compared=compared,
        same=same_images(compared),
        duplicates=duplicates_between(compared),
    )


def compare(config: CompareConfig, folder: StudyFolder | None) -> Comparison:
    """What the page tells, of ``folder`` or else of ``config.runs``."""
    study = None if folder is None else folder.study
    wanted = config.metrics or list(study.metrics if study else [])
    read = read_runs(config.runs, wanted) if folder is None else study_records(folder, wanted)
    if not read.records:
        lines = "".join(f"\n  {u.status}: {u.what} ({u.reason})" for u in read.unfinished)
        raise UserError(f"there is no finished run to compare{lines}")
    keys = differing_keys(read.records)
    groups = sort_by_arm(group(read.records, keys), folder.arms if folder else ())
    metrics, absent = choose_metrics(read.records, wanted, strict=bool(config.metrics))
    others = [record for records in read.besides.values() for record in records]
    notes = [*read.notes, *_notes(groups, absent, others)]
    reported = metrics if wanted else [name for name in metrics if "/" not in name]
    if len(reported) < len(metrics):
        notes.append("Numbers of single classes stand in results.csv; metrics=[…] shows them here.")
    baseline: Mapping[str, Any] = study.baseline if study else {}
    if config.baseline is not None:
        baseline = parse_baseline(config.baseline, groups, keys)
    axes = [key for key in keys if any(key in record.axes for record in read.records)]
    found = differences(groups, baseline, axes or keys, reported) if baseline else []
    if ARM in keys:
        found.sort(key=lambda one: reported.index(one.metric))  # arms side by side
    return Comparison(
        title=study.name if study else f"{len(read.records)} runs",
        question=study.question if study else "",
        commands=_commands(folder),
        groups=groups,
        keys=keys,
        metrics=reported,
        measured=metrics,
        wanted=study.metrics if study else {},
        baseline=baseline,
        differences=found,
        unfinished=read.unfinished,
        notes=notes,
        tables=study.tables if study else (),
        stages={name: s for name, s in study.stages.items() if s.arms} if study else {},
        besides=read.besides,
        pictures=["differences.png"] if found and ARM in baseline else [],
    )


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(f"out={out}: a folder above it is a file; give another") from error


def _commands(folder: StudyFolder | None) -> dict[str, str]:
    ran = {} if folder is None else {"study": folder.command}
    return {**ran, "this page": command_line()}


def _notes(groups: Sequence[Group], absent: Sequence[str], others: Sequence[Record]) -> list[str]:
    """What makes seeds or configurations unequal, and what nobody measured."""
    notes = [f"No run has measured {', '.join(absent)}."] if absent else []
    for one in groups:
        if not same_length(one.records):
            notes.append(f"{one.name}: the seeds have seen different numbers of images.")
        if len({shown(record.config.get("archives")) for record in one.records}) > 1:
            notes.append(f"{one.name}: the seeds stand on different archives.")
    everything = [record for one in groups for record in one.records]
    notes += sorted({remark for record in (*everything, *others) for remark in record.remarks})
    if len(groups) > 1 and not same_length(everything) and LENGTH not in groups[0].values:
        lengths = ", ".join(f"{length:,}" for length in sorted({r.images_seen for r in everything}))
        notes.append(
            f"The configurations have seen different numbers of images ({lengths}): what differs "
            "between them may come from their lengths."
        )
    return notes


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, text.getvalue())
