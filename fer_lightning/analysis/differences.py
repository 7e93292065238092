"""Differences between configurations and a baseline, over pairs of runs of the same seed.

What is the same for all seeds has one value, which is paired with that of each seed of the other:
the interval is then over the other's seeds alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fer_lightning.analysis.records import Record
from fer_lightning.analysis.statistics import Paired, Verdict, paired
from fer_lightning.analysis.tables import LENGTH, Group, same_length, shown
from fer_lightning.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A metric of one configuration minus that of its baseline.

    Attributes:
        metric: Its name.
        group: The configuration.
        baseline: What it is compared with.
        also: Keys besides the baseline's in which the two differ; empty in a clean comparison.
        result: Over pairs of one seed.
        unpaired: Seeds that only one of the two has measured; left out.
        unequal: Seeds whose two runs are of different lengths, unless that is what is compared or
            they are probes, whose networks may be as long as their arms say.
    """

    metric: str
    group: Group
    baseline: Group
    also: tuple[str, ...]
    result: Paired
    unpaired: tuple[int, ...]
    unequal: tuple[int, ...] = ()

    @property
    def verdict(self) -> Verdict | Literal["different lengths"]:
        """None on runs of different lengths, of which the longer one may only have learnt more."""
        return "different lengths" if self.unequal else self.result.verdict


def parse_baseline(text: str, groups: Sequence[Group], keys: Sequence[str]) -> dict[str, Any]:
    """``key=value`` as one of the values that the configurations have.

    Raises:
        UserError: If the key does not differ, or no configuration has the value.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"baseline={text}: give key=value, as in 'baseline=\"{text}=…\"'")
    if key not in keys:
        ends = [known for known in keys if known.endswith(f".{key}")]
        near = ends or difflib.get_close_matches(key, keys, n=1)
        hint = (
            f"did you mean {near[0]}?"
            if near
            else f"what differs is {', '.join(keys) or 'nothing'}"
        )
        raise UserError(f"baseline={text}: {key} does not differ between these runs; {hint}")
    having = [group.values[key] for group in groups if key in group.values]
    for known in having:
        if _same(known, value):
            return {key: known}
    values = ", ".join(dict.fromkeys(map(shown, having)))
    raise UserError(f"baseline={text}: no finished run has this value; there are {values}")


def _same(known: Any, other: Any) -> bool:
    """Whether two values are one, however written: 1e-4 and 0.0001, true and True."""
    if shown(known) == shown(other) or shown(known).lower() == shown(other).lower():
        return True
    try:
        return float(shown(known)) == float(shown(other))
    except ValueError:
        return False


def differences(
    groups: Sequence[Group],
    baseline: Mapping[str, Any],
    keys: Sequence[str],
    metrics: Sequence[str],
) -> list[Difference]:
    """Every configuration against the one that has the baseline's values and is else like it.

    If there is none like it and only one that has the baseline's values, that one is taken, and
    the other keys that differ are named: runs of two models differ in more than ``model.name``.
    """
    references = [g for g in groups if _is_baseline(g, baseline)]
    found: list[Difference] = []
    for group in groups:
        if _is_baseline(group, baseline):
            continue
        alike = [r for r in references if not _also(group, r, baseline, keys)]
        for reference in alike or (references if len(references) == 1 else []):
            also = _also(group, reference, baseline, keys)
            by_length = LENGTH in baseline
            found += [_difference(m, group, reference, also, by_length) for m in metrics]
    return [d for d in found if d.result.summary.n or d.unpaired or d.result.summary.excluded]


def _is_baseline(group: Group, baseline: Mapping[str, Any]) -> bool:
    return all(k in group.values and _same(group.values[k], v) for k, v in baseline.items())


def _also(
    group: Group, reference: Group, baseline: Mapping[str, Any], keys: Sequence[str]
) -> tuple[str, ...]:
    return tuple(
        key
        for key in keys
        if key not in baseline
        and (key in group.values, group.values.get(key))
        != (key in reference.values, reference.values.get(key))
    )


def _difference(
    metric: str, group: Group, reference: Group, also: tuple[str, ...], by_length: bool
) -> Difference:
    ours, theirs = _by_seeds(group, reference, metric), _by_seeds(reference, group, metric)
    both = sorted(ours.keys() & theirs.keys())
    return Difference(
        metric=metric,
        group=group,
        baseline=reference,
        also=also,
        result=paired(ours[seed].metrics[metric] - theirs[seed].metrics[metric] for seed in both),
        unpaired=tuple(sorted(ours.keys() ^ theirs.keys())),
        unequal=tuple(
            seed
            for seed in both
            if not by_length
            and not (ours[seed].probe and theirs[seed].probe)
            and not same_length([ours[seed], theirs[seed]])
        ),
    )


def _by_seeds(group: Group, other: Group, metric: str) -> dict[int, Record]:
    """Records that have the metric by seed; one for all seeds stands by each of the other's."""
    having = [record for record in group.records if metric in record.metrics]
    if not group.seedless:
        return {record.seed: record for record in having if record.seed is not None}
    return dict.fromkeys(other.seeds or [0], having[0]) if having else {}
