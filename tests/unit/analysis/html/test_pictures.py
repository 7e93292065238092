"""Pictures of one step stand together, and no more of them than the page can hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_lightning.analysis.html.lines import Line, Member
from fer_lightning.analysis.html.pictures import WIDTH, pictures_of
from fer_lightning.errors import UserError
from tests.unit.analysis.html.helpers import write_grids


def lines(root: Path, *steps: list[int], side: int = 8) -> list[Line]:
    found = []
    for number, own in enumerate(steps):
        run = root / f"{number}"
        run.mkdir()
        write_grids(run, own, side)
        members = (Member(seed=0, images_seen=own[-1], folder=run),)
        found.append(Line(name=run.name, members=members))
    return found


def test_equal_steps_and_ends_stand_together(tmp_path: Path) -> None:
    found = pictures_of(lines(tmp_path, [1000, 2000, 3000], [1010, 2500, 3100]))
    assert found["steps"] == ["end", "2000", "1000"]
    at = {(one["line"], one["step"]): one["images"] for one in found["pictures"]}
    assert at == {(0, "end"): 3000, (1, "end"): 3100, (0, "1000"): 1000, (1, "1000"): 1010,
                  (0, "2000"): 2000}  # fmt: skip
    assert found["left_out"] == 0
    assert all(source.startswith("data:image/webp;base64,") for source, _, _ in found["sources"])


def test_the_ends_come_first_where_there_is_no_room(tmp_path: Path) -> None:
    found = pictures_of(lines(tmp_path, [1000, 2000, 3000], [1000, 2000, 3000]), budget=101)
    assert {one["step"] for one in found["pictures"]} == {"end"}
    assert found["left_out"] == 6 - len(found["pictures"])
    assert found["left_out"] >= 4


def test_wide_pictures_are_made_smaller(tmp_path: Path) -> None:
    ((_, width, height),) = pictures_of(lines(tmp_path, [5], side=2 * WIDTH))["sources"]
    assert (width, height) == (WIDTH, WIDTH)


def test_runs_without_pictures(tmp_path: Path) -> None:
    members = (Member(seed=None, images_seen=0, folder=None),)
    assert pictures_of([Line(name="pixels", members=members)])["pictures"] == []


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    found = lines(tmp_path, [5])
    (tmp_path / "0" / "samples" / "000000005.png").write_text("torn")
    with pytest.raises(UserError, match=r"000000005\.png is damaged"):
        pictures_of(found)
