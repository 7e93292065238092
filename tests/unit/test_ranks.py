"""What a process is told about the others of its run."""

from __future__ import annotations

import pytest

from fer_lightning.errors import UserError
from fer_lightning.ranks import any_rank, of_all_ranks, rank, refuse_other_launchers


def test_a_process_alone_is_the_first_of_one() -> None:
    assert rank() == 0
    assert of_all_ranks("x") == ["x"]
    assert any_rank()(True)
    assert not any_rank()(False)


def test_another_launchers_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_other_launchers()
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(UserError, match="without torchrun"):
        refuse_other_launchers()
    monkeypatch.setenv("FER_RANK", "1")
    refuse_other_launchers()
    assert rank() == 1
