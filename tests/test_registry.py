"""Each row of the registry loads, is called what it says, and is tested."""

from pathlib import Path

import pytest
from xdsl.ir import Dialect
from xdsl.passes import ModulePass

from stepwell.dialects.diagnostics import CompileError
from stepwell.registry import DIALECTS, PASSES, find_pass, load_row, pass_names

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_is_called_what_its_row_says(name: str) -> None:
    found = load_row(PASSES[name])
    assert issubclass(found, ModulePass)
    assert found.name == name
    assert find_pass(name) is found


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_has_its_lit_file(name: str) -> None:
    folder, _, rest = PASSES[name].removeprefix("stepwell.").partition(".")
    file = ROOT / "lit" / folder / f"{name.replace('-', '_')}.mlir"
    assert file.is_file(), f"write {file.relative_to(ROOT)}"
    assert rest


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_says_what_it_does(name: str) -> None:
    assert (load_row(PASSES[name]).__doc__ or "").strip()


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_is_called_what_its_row_says(name: str) -> None:
    dialect = load_row(DIALECTS[name])
    assert isinstance(dialect, Dialect)
    assert dialect.name == name
    assert all(op.name.startswith(f"{name}.") for op in dialect.operations)


def test_rows_are_sorted() -> None:
    assert list(PASSES) == sorted(PASSES)
    assert list(DIALECTS) == sorted(DIALECTS)
    assert set(PASSES) <= set(pass_names())


def test_an_unknown_pass_is_an_error_with_a_hint() -> None:
    with pytest.raises(CompileError) as caught:
        find_pass("promote-variable")
    assert caught.value.hint is not None
    assert "'promote-variables'" in caught.value.hint


def test_xdsl_finds_our_passes_and_dialects() -> None:
    from stepwell.universe import UNIVERSE

    assert "simt" in UNIVERSE.all_dialects
    assert UNIVERSE.all_dialects["simt"]().name == "simt"
    assert "gpu" not in UNIVERSE.all_dialects  # xDSL has one of that name
    assert UNIVERSE.all_passes["promote-variables"]().name == "promote-variables"
