"""`./dev` works with any Python that starts it, that of its own environment too."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path

DEV = Path(__file__).parent.parent / "dev"


def test_an_activated_environment_is_left_before_it_is_made_again():
    outer_python = runpy.run_path(str(DEV))["outer_python"]
    ask = "import sys; print(sys.prefix == sys.base_prefix)"
    done = subprocess.run([outer_python(), "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
