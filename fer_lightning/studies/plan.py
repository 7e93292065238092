"""Lays a study out into its cells, stage by stage."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fer_lightning.config.study import ARM, SEEDED, Stage, Study
from fer_lightning.errors import UserError
from fer_lightning.studies.cells import ALL_EARLIER, EARLIER, Cell, as_overrides, named_in

Axes = Mapping[str, Sequence[Any]]
"""Values by key."""


@dataclass(frozen=True)
class _Plan:
    """What the cells of a stage have in common.

    Attributes:
        name: The stage's name.
        stage: The stage.
        overrides: Those of every cell.
        named: Whether they name an earlier cell.
        axes: Arms and axes besides the study's: taken over, then its own.
        seeded: Whether it has cells with a seed.
    """

    name: str
    stage: Stage
    overrides: Sequence[str]
    named: bool
    axes: Axes
    seeded: bool

    def cells(self, study: Study, earlier: Sequence[Cell]) -> Iterator[Cell]:
        """The stage's cells; the arm varies slowest, the seed fastest.

        Where a job draws nothing, only what names a seeded cell of ``earlier`` differs by seed.
        """
        arms = {key: values for key, values in self.axes.items() if key == ARM}
        axes = {**arms, **study.axes, **self.axes}
        own = [*([] if self.named else study.axes), *self.stage.axes]
        drawing = self.stage.job in SEEDED
        for values in _combinations(axes):
            given = [
                *self.overrides,
                *self.stage.arms.get(values.get(ARM, ""), ()),
                *as_overrides({key: values[key] for key in own}),
            ]
            one = Cell(self.name, self.stage.job, study.seeds[0], values, given)
            by_seed = drawing or any(c.seed is not None and one.needs(c) for c in earlier)
            seeds: Sequence[int | None] = study.seeds if self.seeded and by_seed else [None]
            for seed in seeds:
                drawn = seed if self.stage.seed is None else self.stage.seed
                overrides = [
                    *given,
                    *([f"seed={drawn}"] if drawing else []),
                    *([f"logger.group={study.name}"] if self.stage.job == "train" else []),
                ]
                yield Cell(self.name, self.stage.job, seed, values, overrides)


def cells_of(study: Study, train: Sequence[str]) -> list[Cell]:
    """All cells of a study, stage by stage.

    The study's axes are overrides of the stages whose own overrides name no earlier cell. A stage
    that does takes their values over from there, and with them the arms and axes that only the
    named stage has. Of a stage without a seed, what names no seeded cell has one cell for all
    seeds. ``cells:<stage>`` takes nothing over.

    Args:
        study: The study.
        train: Overrides added to every training stage.

    Raises:
        UserError: If a stage names one that does not come before it, or several of its cells.
    """
    plans: dict[str, _Plan] = {}
    for name, stage in study.stages.items():
        plans[name] = _plan(name, stage, train if stage.job == "train" else (), study, plans)
    cells: list[Cell] = []
    for plan in plans.values():
        cells += list(plan.cells(study, cells))
    return cells


def _plan(
    name: str, stage: Stage, train: Sequence[str], study: Study, earlier: Mapping[str, _Plan]
) -> _Plan:
    overrides = [*stage.overrides, *train]
    varying = [o for bundle in stage.arms.values() for o in bundle]
    varying += [o for values in _combinations(stage.axes) for o in as_overrides(values)]
    named, varied = (named_in(given, EARLIER) for given in (overrides, varying))
    listed = named_in([*overrides, *varying], ALL_EARLIER)
    for prefix, wanted in [(EARLIER, w) for w in named + varied] + [
        (ALL_EARLIER, w) for w in listed
    ]:
        if wanted not in earlier:
            raise UserError(
                f"study.stages.{name}: {prefix}{wanted} names no stage before it; "
                f"there are {', '.join(earlier) or 'none'}"
            )
    taken = _taken_over(name, named, earlier)
    for wanted in varied:
        if earlier[wanted].axes and earlier[wanted].axes != taken:
            raise UserError(
                f"study.stages.{name}: {EARLIER}{wanted} could be any of several cells, since "
                f"{wanted} has {_listed(earlier[wanted].axes)} of its own; make a stage of each, "
                f"or take all by {ALL_EARLIER}{wanted}"
            )
    axes = _with_own(name, stage, taken, study)
    _refuse_unlike(name, axes, {wanted: earlier[wanted].axes for wanted in listed})
    return _Plan(
        name=name,
        stage=stage,
        overrides=overrides,
        named=bool(named_in(overrides)),
        axes=axes,
        seeded=_seeded(name, stage, [w for w in (*named, *varied, *listed) if earlier[w].seeded]),
    )


def _seeded(name: str, stage: Stage, varied: Sequence[str]) -> bool:
    """Whether a stage has cells for each seed, given those that it names and that have."""
    if stage.seed is None:
        return stage.job in SEEDED or bool(varied)
    if varied:
        raise UserError(
            f"study.stages.{name}.seed={stage.seed}: it names {varied[0]}, which is run with every "
            "seed of the study; leave seed out"
        )
    return False


def _taken_over(name: str, named: Sequence[str], earlier: Mapping[str, _Plan]) -> Axes:
    """Arms and axes of the stages that a stage names: those of one, or the same of several."""
    having = [wanted for wanted in named if earlier[wanted].axes]
    for other in having[1:]:
        if earlier[other].axes != earlier[having[0]].axes:
            raise UserError(
                f"study.stages.{name}: {having[0]} has {_listed(earlier[having[0]].axes)} of its "
                f"own and {other} has {_listed(earlier[other].axes)}: their cells do not pair; "
                "name one of them, or give both the same"
            )
    return earlier[having[0]].axes if having else {}


def _with_own(name: str, stage: Stage, taken: Axes, study: Study) -> Axes:
    """Arms and axes that are taken over, and the stage's own."""
    axes = dict(taken)
    if ARM not in taken:
        axes |= {ARM: list(stage.arms)} if stage.arms else {}
    elif unknown := [arm for arm in stage.arms if arm not in taken[ARM]]:
        raise UserError(
            f"study.stages.{name}.arms: {unknown[0]} is no arm of the stage that it names; there "
            f"are {', '.join(taken[ARM])}"
        )
    for key, values in stage.axes.items():
        if key in axes or key in study.axes:
            raise UserError(
                f"study.stages.{name}.axes: {key} is an axis of the study or of the stage that it "
                "names already; leave it out"
            )
        axes[key] = values
    return axes


def _refuse_unlike(name: str, axes: Axes, listed: Mapping[str, Axes]) -> None:
    """``cells:<stage>`` is all over the axes that only that stage has: others must be the same."""
    for wanted, theirs in listed.items():
        for key in theirs.keys() & axes.keys():
            if theirs[key] != axes[key]:
                raise UserError(
                    f"study.stages.{name}: {ALL_EARLIER}{wanted}: {wanted} has "
                    f"{_listed({key: axes[key]})} too, with other values, so that their cells do "
                    "not pair; give both the same"
                )


def _listed(axes: Axes) -> str:
    return " and ".join("arms" if key == ARM else f"the axis {key}" for key in axes)


def _combinations(axes: Axes) -> list[dict[str, Any]]:
    """One mapping for every combination of the axes' values."""
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
