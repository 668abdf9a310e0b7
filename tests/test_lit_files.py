"""Every file of lit/, as `stepwell lit` runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell.tools.lit.features import available
from stepwell.tools.lit.runner import Verdict, discover, run_test

LIT = Path(__file__).parent.parent / "lit"


@pytest.mark.parametrize(
    "path", [pytest.param(p, id=str(p.relative_to(LIT))) for p in discover([LIT])]
)
def test_lit_file(path: Path):
    result = run_test(path, available())
    if result.verdict is Verdict.UNSUPPORTED:
        pytest.skip(result.log.strip())
    assert not result.verdict.bad, f"{result.verdict.value}\n{result.log}"
