"""Packages with entry points, as pip would have installed them, for one test."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from pathlib import Path

import pytest

from stepwell import registry

Points = Mapping[str, Mapping[str, str]]
Install = Callable[[str, str, Points], None]


def _install(
    folder: Path,
    patch: pytest.MonkeyPatch,
    name: str,
    code: str,
    entry_points: Points,
) -> None:
    """Put a package of one module and its metadata into `folder`, which becomes importable."""
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    sections = (
        f"[stepwell.{group}]\n" + "".join(f"{key} = {value}\n" for key, value in rows.items())
        for group, rows in entry_points.items()
    )
    (metadata / "entry_points.txt").write_text("\n".join(sections), encoding="utf-8")
    patch.syspath_prepend(str(folder))  # pyright: ignore[reportUnknownMemberType]
    registry.plugins.cache_clear()


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Install]:
    """What installs packages that are gone after the test."""
    yield lambda name, code, points: _install(tmp_path, monkeypatch, name, code, points)
    monkeypatch.undo()
    registry.plugins.cache_clear()
