"""Every example runs as a user would run it, and checks its own results."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

FOLDER = Path(__file__).parent.parent / "examples"
PHOTO = FOLDER.parent / "tools" / "data" / "photo.jpg"
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "make_photo")


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_runs(name: str, capsys: pytest.CaptureFixture[str]):
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    assert capsys.readouterr().out


def test_an_example_runs_as_a_program():
    result = subprocess.run(
        [sys.executable, str(FOLDER / "saxpy.py")], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "1000003 items" in result.stdout


def test_the_photo_is_what_its_program_makes(tmp_path: Path):
    made = tmp_path / "photo.jpg"
    subprocess.run([sys.executable, str(FOLDER / "make_photo.py"), str(made)], check=True)
    with Image.open(made) as new, Image.open(PHOTO) as shipped:
        assert new.size == shipped.size
        assert PHOTO.stat().st_size < 200_000
