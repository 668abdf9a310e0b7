"""Parts of the Vulkan runtime that need no driver: profiles, grids, pieces of memory, layout."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.runtime.artifact import Manifest, Parameter
from stepwell.runtime.process import timeout_ns
from stepwell.runtime.vulkan.capabilities import BITS, OURS, language_features
from stepwell.runtime.vulkan.find import may_be_hardware
from stepwell.runtime.vulkan.kernel import fold, why_unfit
from stepwell.runtime.vulkan.layout import ArgumentLayout
from stepwell.runtime.vulkan.memory import Block
from stepwell.runtime.vulkan.profile import CAPABILITIES, Profile

LIMIT = (65535, 65535, 65535)
SIZES = st.integers(1, 70_000)


@settings(deadline=None)
@given(st.frozensets(st.sampled_from(sorted(CAPABILITIES))), st.sampled_from([4, 8, 32, 64]))
def test_a_profile_is_read_as_it_was_written(names: frozenset[str], size: int) -> None:
    profile = Profile((1, 6), size, names)
    assert Profile.parse(str(profile)) == profile
    assert str(profile).split("+")[2:] == sorted(names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not start with a SPIR-V version"),
        ("vulkan", "does not start with a SPIR-V version"),
        ("1.6", "has no subgroup size"),
        ("1.6+bda", "has no subgroup size"),
        ("1.6+sg8+wings", "unknown capabilities: wings"),
    ],
)
def test_what_is_no_profile_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Profile.parse(text)


def test_every_capability_of_the_table_may_be_in_a_profile() -> None:
    assert set(BITS) - set(OURS) <= CAPABILITIES


def test_only_f64_and_some_abilities_depend_on_the_device() -> None:
    types = {"i8", "i16", "i32", "i64", "f16", "bf16", "f32"}
    others = {"atomics_float", "subgroups", "dynamic_shared", "reports", "long_loops"}
    others.add("launch_sizes")
    assert language_features(frozenset()) == types | others
    assert "f64" not in language_features(frozenset({"float64"}))
    assert "f64" in language_features(frozenset({"float64", "int64"}))
    assert "long_loops" not in language_features(frozenset({"short_loops"}))
    assert "host_memory" not in language_features(CAPABILITIES)


@given(SIZES, SIZES, SIZES)
def test_a_folded_grid_has_room_for_every_block_and_little_more(x: int, y: int, z: int) -> None:
    if x * y * z >= 2**31:
        return
    groups = fold((x, y, z), LIMIT)
    assert all(map(int.__le__, groups, LIMIT))
    number, wanted = groups[0] * groups[1] * groups[2], x * y * z
    assert wanted <= number <= wanted + groups[1] * groups[2]
    if max(x, y, z) <= 65535:
        assert groups == (x, y, z)


def test_pieces_of_a_block_never_overlap_and_join_again() -> None:
    generator = random.Random(1)
    block = Block(1, 2, 1 << 16, own=False)
    held: list[tuple[int, int]] = []
    for _ in range(2000):
        if held and generator.random() < 0.45:
            block.give(*held.pop(generator.randrange(len(held))))
        else:
            size = 256 * generator.randint(1, 16)
            offset = block.take(size)
            if offset is not None:
                assert all(offset + size <= o or o + s <= offset for o, s in held)
                held.append((offset, size))
    assert sum(size for _, size in block.free) + sum(s for _, s in held) == block.size
    for piece in held:
        block.give(*piece)
    assert block.free == [(0, block.size)]


def test_arguments_lie_where_the_packer_puts_them() -> None:
    rows = (
        Parameter("s", "scalar", "f32"),
        Parameter("a", "buffer", "f64", 2, (None, None), (None, 1), True),
        Parameter("b", "buffer", "i8", 1, (7,), None),
        Parameter("c", "buffer", "i8", 1, (None,), None),
    )
    plain = Manifest("k", "vulkan", "k", rows, over=2, has_report=True, abi="bda")
    layout = ArgumentLayout(plain)
    assert [(row.slot, row.writes, row.dynamic_sizes) for row in layout.buffers] == [
        *((1, True, 2), (5, False, 0), (6, False, 1))
    ]
    packed = struct.pack("<11q", *range(100, 111))
    assert layout.addresses.unpack_from(packed) == (101, 105, 106)
    assert [layout.elements(row, packed) for row in layout.buffers] == [102 * 103, 7, 107]
    assert (layout.block_bytes, layout.push_bytes) == (8 * 11 + 16 + 8, 8 * 11 + 16 + 8)
    assert layout.binding_count == 0
    in_memory = ArgumentLayout(plain._replace(block_in_memory=True))
    assert in_memory.push_bytes == 8
    bound = ArgumentLayout(plain._replace(block_in_memory=True, abi="bindings"))
    assert (bound.push_bytes, bound.binding_count, bound.binds_block) == (0, 5, True)
    assert bound.block_bytes == 8 * 11 + 16


def test_an_artifact_of_a_lesser_profile_fits() -> None:
    profile = Profile((1, 5), 8, frozenset({"bda", "int64", "float16"}))
    made = Manifest("k", "vulkan", "k", abi="bda", features=("int64",), cpu="1.3+sg32+bda+int64")
    sizes = range(8, 9)
    assert why_unfit(made, profile, sizes) is None
    assert why_unfit(made._replace(uses_subgroups=True, subgroup_size=8), profile, sizes) is None
    unfit = {
        "subgroups of 32": made._replace(uses_subgroups=True, subgroup_size=32),
        "lacks float64": made._replace(features=("int64", "float64")),
        "newer SPIR-V than 1.5": made._replace(cpu="1.6+sg8"),
        "it is for 'cpu'": made._replace(target="cpu"),
    }
    for message, manifest in unfit.items():
        assert message in (why_unfit(manifest, profile, sizes) or "")
    no_pointers = profile._replace(capabilities=frozenset({"int64"}))
    assert why_unfit(made, no_pointers, sizes) == "the device lacks bda"
    assert why_unfit(made._replace(abi="bindings"), no_pointers, sizes) is None


@pytest.mark.parametrize(("text", "expected"), [("", 0), ("0", 0), ("1.5", 1_500_000_000)])
def test_the_timeout_is_in_seconds(
    text: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPWELL_TIMEOUT", text)
    assert timeout_ns() == expected


def test_a_gpu_is_looked_for_only_where_its_files_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.path.exists", "/dev/nvidiactl".__eq__)
    assert may_be_hardware()
    monkeypatch.setattr("os.path.exists", "".__eq__)
    assert not may_be_hardware()
    monkeypatch.setattr("sys.platform", "win32")
    assert may_be_hardware()
