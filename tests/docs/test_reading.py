"""Commands and files are found where pages show them, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.commands import blocks, commands, files, pages

PAGE = """
Talk of `fer train` and `fer train data=drawn \u2026`, `not fer`, `fer train data=NAME`; `fer
prepare data=drawn` or `make demo`; `A=1 fer train seed=3 && fer compare runs=[x] out=y`.

```
git clone \u2026 && cd x
fer train -m 'data.root=a b' \\
    seed=0,1    # two seeds: fer is no comment
FER_DATA=DIR fer train experiment=x && wandb sync RUN
ferret
```

- A list

  ```sh
  fer evaluate run=RUN
  ```

  ```text
  fer: error: no
  ```

```python title="a/b.py"
fer = 1
```

```
fer generate run=RUN
```

What it prints is of the next one:

```text
nothing
```

```python title="a/b.py"
two = 2
```

```python
print("RUN")
```

```bash title="job.sh"
#SBATCH --ntasks=1
srun fer train seed=$SLURM_ARRAY_TASK_ID
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return path


def test_every_command_is_found_with_its_line(page: Path) -> None:
    found = [
        (c.line, c.environment, " ".join(c.words), c.output)
        for c in commands(page)
        if not c.mention
    ]
    assert found == [
        (2, {}, "fer prepare data=drawn", ""),
        (3, {}, "make demo", ""),
        (3, {"A": "1"}, "fer train seed=3", ""),
        (3, {}, "fer compare runs=[x] out=y", ""),
        (7, {}, "fer train -m data.root=a b seed=0,1", ""),
        (9, {"FER_DATA": "DIR"}, "fer train experiment=x", ""),
        (9, {}, "wandb sync RUN", ""),
        (16, {}, "fer evaluate run=RUN", "fer: error: no\n"),
        (28, {}, "fer generate run=RUN", ""),
        (42, {}, 'python print("RUN")\n', ""),
        (47, {}, "fer train seed=$SLURM_ARRAY_TASK_ID", ""),
    ]
    assert [c.line for c in commands(page) if c.task] == [47]


def test_what_is_only_talked_about_is_marked(page: Path) -> None:
    found = [" ".join(c.words) for c in commands(page) if c.mention]
    assert found == ["fer train", "fer train data=drawn \u2026", "fer train data=NAME"]


def test_files_are_put_together(page: Path) -> None:
    assert files(page)["a/b.py"] == "fer = 1\n\ntwo = 2\n"


def test_a_block_without_an_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="line 2: this block has no end"):
        blocks("text\n```\nfer train\n")


def test_the_pages_are_found() -> None:
    names = {path.name for path in pages()}
    assert {"README.md", "CONTRIBUTING.md", "metric.md", "cgan.md"} <= names
