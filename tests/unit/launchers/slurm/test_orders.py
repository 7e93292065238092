"""What was submitted, and how it is found again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fer_lightning.errors import UserError
from fer_lightning.launchers.slurm.orders import RECORD, Order, read_orders, write_orders


def order(folder: Path, index: int = 0) -> Order:
    return Order(
        folder=folder,
        name=f"train-{folder.name}",
        index=index,
        command=["python", "-m", "fer_lightning", "train", f"seed={index}"],
        minutes=60,
        warning_seconds=120,
        queued_again=3,
    )


def test_what_was_submitted_is_found_again_the_newest_first(tmp_path: Path) -> None:
    older, newer = tmp_path / "20260101", tmp_path / "20260102"
    for folder in (older, newer):
        write_orders([order(folder), order(folder, 1)])
    assert list(read_orders(tmp_path)) == [
        order(newer), order(newer, 1), order(older), order(older, 1),
    ]  # fmt: skip
    assert order(newer).job == "train"
    assert list(read_orders(tmp_path / "none")) == []


def test_a_moved_study_is_found_where_it_is(tmp_path: Path) -> None:
    write_orders([order(tmp_path / "here" / "a")])
    (tmp_path / "here").rename(tmp_path / "there")
    moved = tmp_path / "there" / "a"
    assert list(read_orders(tmp_path / "there")) == [replace(order(moved), folder=moved)]


def test_a_damaged_record_is_a_user_error(tmp_path: Path) -> None:
    write_orders([order(tmp_path / "a")])
    (tmp_path / "a" / RECORD).write_text('{"orders": [{"index": 1}]}')
    with pytest.raises(UserError, match=r"orders\.json is damaged .* delete it"):
        list(read_orders(tmp_path))


def test_an_end_is_read_by_all_who_wait_and_marked_once(tmp_path: Path) -> None:
    one = order(tmp_path, 4)
    assert one.read_end() is None
    one.end(2, "model.width=0: no")
    assert one.read_end() == (2, "model.width=0: no")
    assert not one.collected.exists()
    one.collect()
    one.collect()
    assert one.collected.exists()
    assert one.read_end() == (2, "model.width=0: no")
