"""Artifacts on disk: what is written is read again, and damage is said in words."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from stepwell.runtime.artifact import (
    FORMAT,
    MAGIC,
    ArgumentPart,
    Artifact,
    Bundle,
    Manifest,
    Parameter,
    Site,
    load,
    merge,
)
from stepwell.runtime.errors import ArtifactError

MANIFEST = Manifest(
    name="saxpy",
    target="cpu",
    entry="saxpy",
    parameters=(
        Parameter("a", "scalar", "f32"),
        Parameter(
            "x", "buffer", "f32", 2, (None, 4), (None, 1), False, ArgumentPart(1, ("pos", 0), 8)
        ),
        Parameter("y", "buffer", "f32", 1, (None,), None, True, ArgumentPart(2)),
    ),
    triple="x86_64-unknown-linux-gnu",
    cpu="znver4",
    features=("avx2", "fma"),
    over=1,
    known_block=(256, 1, 1),
    static_shared_bytes=1024,
    has_report=True,
    sites=(Site("bounds", "index {} is out", ("index",), "k.py", 3, 7, "saxpy"),),
    ir_hash="abc",
    versions={"stepwell": "0.1.0"},
)
ARTIFACT = Artifact(MANIFEST, b"\x7fELF code")
OTHER = Artifact(MANIFEST._replace(target="cuda", triple="nvptx64", features=()), b"ptx")


def test_a_file_gives_back_every_field(tmp_path: Path) -> None:
    ARTIFACT.save(tmp_path / "saxpy.swa")
    assert load(tmp_path / "saxpy.swa").only() == ARTIFACT


def test_optional_fields_may_be_absent() -> None:
    plain = Artifact(Manifest("k", "cpu", "k"), b"")
    assert Artifact.from_bytes(plain.to_bytes()) == plain


def test_one_file_holds_several_targets(tmp_path: Path) -> None:
    merge([ARTIFACT, OTHER]).save(tmp_path / "both.swa")
    both = load(tmp_path / "both.swa")
    assert both.select("cuda").payload == b"ptx"
    assert both.select("cpu") == ARTIFACT
    with pytest.raises(ArtifactError, match="expected one artifact, got 2"):
        both.only()
    with pytest.raises(ArtifactError, match="no artifact for vulkan: it holds saxpy for cpu"):
        both.select("vulkan")


def test_merging_replaces_the_same_machine_and_keeps_others() -> None:
    newer = ARTIFACT._replace(payload=b"\x7fELF newer")
    older_cpu = Artifact(MANIFEST._replace(features=()), b"\x7fELF plain")
    merged = merge([Bundle((ARTIFACT, OTHER)), newer, older_cpu])
    assert merged.artifacts == (newer, OTHER, older_cpu)


def test_selection_prefers_the_most_demanding_code_that_is_accepted() -> None:
    plain = Artifact(MANIFEST._replace(features=()), b"plain")
    bundle = Bundle((plain, ARTIFACT))
    assert bundle.select("cpu") is ARTIFACT
    assert bundle.select("cpu", accepts=lambda manifest: not manifest.features) is plain
    with pytest.raises(ArtifactError, match="none of them runs on this machine"):
        bundle.select("cpu", accepts=lambda manifest: False)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 20, 24, 60])
def test_a_truncated_file_is_damaged(tmp_path: Path, size: int) -> None:
    path = tmp_path / "part.swa"
    path.write_bytes(ARTIFACT.to_bytes()[:size])
    with pytest.raises(ArtifactError, match=r"part\.swa is damaged"):
        load(path)


def test_every_flipped_byte_is_noticed() -> None:
    data = ARTIFACT.to_bytes()
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        with pytest.raises(ArtifactError):
            Bundle.from_bytes(bytes(damaged))


def test_a_foreign_file_is_refused() -> None:
    with pytest.raises(ArtifactError, match="is not a stepwell artifact"):
        Bundle.from_bytes(b"PK\x03\x04 something else entirely")


@pytest.mark.parametrize(("step", "whose"), [(1, "newer stepwell"), (-1, "older stepwell")])
def test_another_format_says_so(step: int, whose: str) -> None:
    data = bytearray(ARTIFACT.to_bytes())
    struct.pack_into("<I", data, len(MAGIC), FORMAT + step)
    with pytest.raises(ArtifactError, match=whose):
        Bundle.from_bytes(bytes(data))


def test_an_absent_file_says_why(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="No such file"):
        load(tmp_path / "absent.swa")


def test_writing_leaves_the_old_file_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "k.swa"
    ARTIFACT.save(path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ArtifactError, match="No space left"):
        OTHER.save(path)
    assert load(path).only() == ARTIFACT
    assert [entry.name for entry in tmp_path.iterdir()] == ["k.swa"]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    place = tmp_path / "absent" / "k.swa"
    with pytest.raises(ArtifactError, match=r"cannot write .*absent/k\.swa: No such file"):
        Bundle(()).save(place)
    assert not place.parent.exists()
