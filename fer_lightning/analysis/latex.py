"""The comparison's tables for a paper: LaTeX with the package ``booktabs``."""

from __future__ import annotations

from collections.abc import Sequence

from fer_lightning.analysis.comparison import Comparison
from fer_lightning.analysis.markdown import number
from fer_lightning.analysis.sections import (
    Rows,
    baseline_name,
    difference_rows,
    paper_errors,
    paper_rows,
)
from fer_lightning.analysis.statistics import CONFIDENCE, Summary
from fer_lightning.analysis.tables import ABSENT, Group

SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "\N{MINUS SIGN}": "$-$",
    ABSENT: "--",
    "\n": " ",
}
"""What LaTeX would take for a command, or has no letter for in every font."""


def to_latex(comparison: Comparison) -> str:
    """Tables of means, of differences and of the paper's numbers, to be pasted or included."""
    parts = [
        r"% Needs \usepackage{booktabs}; the numbers in full stand in results.csv.",
        _means(comparison),
    ]
    rows = difference_rows(comparison)
    if len(rows) > 1:
        caption = (
            f"Differences from {baseline_name(comparison)} over pairs of one seed: mean $\\pm$ "
            f"SD [{CONFIDENCE:.0%} interval] (pairs)."
        )
        parts.append(_table(_escaped(rows), _mixed(caption), "differences"))
    rows = paper_rows(comparison)
    if len(rows) > 1:
        caption = " ".join(["Our numbers beside the paper's.", *paper_errors(comparison)])
        parts.append(_table(_escaped(rows), escape(caption), "paper"))
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def _mixed(caption: str) -> str:
    """Escaped but for the sign that was written for LaTeX."""
    return r"$\pm$".join(map(escape, caption.split(r"$\pm$")))


def _escaped(rows: Rows) -> Rows:
    return [[escape(cell) for cell in row] for row in rows]


def _means(comparison: Comparison) -> str:
    """Metrics by configurations; bold alone what the differences decide to be better."""
    groups, metrics = comparison.groups, comparison.metrics
    better = _better(comparison)
    cells = [[_spread(g.summary(m), bold=(g.name, m) in better) for m in metrics] for g in groups]
    names = [escape(group.name) for group in groups]
    if len(metrics) > len(groups):
        turned = zip(*cells, strict=True)
        rows = [["", *names], *([escape(m), *row] for m, row in zip(metrics, turned, strict=True))]
    else:
        headed = zip(names, cells, strict=True)
        rows = [["", *map(escape, metrics)], *([name, *row] for name, row in headed)]
    return _table(rows, _caption(comparison, groups), "results")


def _better(comparison: Comparison) -> set[tuple[str, str]]:
    """Configurations and metrics of which the verdict says that they beat the baseline."""
    found = set()
    for one in comparison.differences:
        higher = comparison.metric(one.metric).higher
        if higher is not None and one.verdict == ("higher" if higher else "lower"):
            found.add((one.group.name, one.metric))
    return found


def _caption(comparison: Comparison, groups: Sequence[Group]) -> str:
    seeds = sorted({len(group.records) for group in groups})
    several = " or ".join(map(str, seeds))
    said = f"{escape(comparison.title)}: mean $\\pm$ SD over seeds ({several} a row)."
    if comparison.differences:
        baseline = escape(baseline_name(comparison))
        said += (
            f" Bold: better than {baseline}, as the {escape(f'{CONFIDENCE:.0%}')} interval of "
            "the paired differences decides; not corrected for the number of comparisons."
        )
    return said


def _spread(summary: Summary, bold: bool) -> str:
    """``mean ± SD``; below two seeds the mean alone."""
    if summary.mean is None:
        return "not finite" if summary.excluded else "--"
    text = _number(summary.mean)
    if summary.sd is not None:
        text += rf" \pm {_number(summary.sd)}"
    left_out = f" ({summary.excluded} not finite)" if summary.excluded else ""
    return (rf"\boldmath${text}$" if bold else f"${text}$") + left_out


def _number(value: float) -> str:
    mantissa, exponent, power = number(value).partition("e")
    return rf"{mantissa} \cdot 10^{{{int(power)}}}" if exponent else mantissa


def _table(rows: Rows, caption: str, label: str) -> str:
    """A floating table; the first row is its heading."""
    heading, *body = (" & ".join(row) + r" \\" for row in rows)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(rows[0]) - 1)}}}",
        r"\toprule",
        heading,
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)
