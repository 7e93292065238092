"""Confusion matrices and ROC curves of what was measured of the networks as they are now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fer_lightning.analysis.html.answers import answered, confusions_of, rocs_of
from fer_lightning.analysis.html.lines import Line, Member
from fer_lightning.errors import UserError
from tests.helpers.results import write
from tests.unit.analysis.html.helpers import write_answers


def line(*files: Path) -> Line:
    return Line(
        name="a", members=(Member(seed=0, images_seen=100, folder=None, evaluations=files),)
    )


def test_matrices_have_their_run(tmp_path: Path) -> None:
    file = write_answers(tmp_path / "evaluate-drawn-test-01234567")
    old = write_answers(tmp_path / "evaluate-drawn-test-aaaaaaaa", images_seen=50)
    (kind,) = confusions_of(answered([line(file, old)]))
    assert kind == {
        "what": "evaluate-drawn-test",
        "classes": ["anger", "fear"],
        "matrices": [{"line": 0, "seed": 0, "rows": [[2, 0], [1, 1]]}],
    }


def test_files_of_one_name_are_told_apart_by_their_protocol(tmp_path: Path) -> None:
    files = [
        write_answers(tmp_path / f"evaluate-drawn-test-{n:08d}", checkpoint=f"c{n}", seed=n)
        for n in range(2)
    ]
    kinds = confusions_of(answered([line(*files)]))
    assert [k["what"] for k in kinds] == [
        "evaluate-drawn-test, seed=0",
        "evaluate-drawn-test, seed=1",
    ]


def test_curves_and_areas_of_classes(tmp_path: Path) -> None:
    found = rocs_of(answered([line(write_answers(tmp_path / "evaluate-drawn-test-01234567"))]))
    (kind,) = found["kinds"]
    assert kind["classes"] == ["anger", "fear"]
    _, _, _, area, rates = kind["curves"][0]
    assert area == 0.75  # of four pairs one is the wrong way round
    assert (rates[0], rates[-1]) == (500, 1000)
    assert len(rates) == len(found["grid"]) == 101
    assert found["grid"][-1] == 1


def test_protocols_of_a_probe_of_units(tmp_path: Path) -> None:
    path = tmp_path / "probe-drawn-au-01234567.json"
    protocol = {"classes": ["AU1", "AU12"]}
    write(path, {"metrics": {}, "protocol": protocol, "images_seen": 100})
    scores = np.array([0.1, 0.9, np.nan, 0.4])
    table = {"AU1": [0, 1, 1, None], "AU12": [0, 0, 0, 0]}
    for how in ("random", "grouped_nested"):
        table |= {f"score_{how}_AU1": scores, f"score_{how}_AU12": scores}
    pq.write_table(pa.table(table), path.with_suffix(".parquet"))
    kinds = rocs_of(answered([line(path)]))["kinds"]
    assert [kind["what"] for kind in kinds] == [
        "probe-drawn-au, grouped folds, nested", "probe-drawn-au, random folds"
    ]  # fmt: skip
    assert [kind["classes"] for kind in kinds] == [["AU1"], ["AU1"]]  # nobody shows AU12
    assert kinds[0]["curves"][0][3] == 1.0


def test_damage_is_named(tmp_path: Path) -> None:
    file = write_answers(tmp_path / "evaluate-drawn-test-01234567")
    file.with_suffix(".parquet").write_text("torn")
    with pytest.raises(UserError, match=r"\.parquet is damaged"):
        rocs_of(answered([line(file)]))
    content = {"images_seen": 100, "confusion": {"classes": ["a"], "rows_true": [[1, 2]]}}
    torn = answered([line(write(file, content))])
    with pytest.raises(UserError, match="confusion"):
        confusions_of(torn)
