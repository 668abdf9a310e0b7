"""The site table of a kernel, and the places that inlined code keeps."""

from __future__ import annotations

import pytest
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp

from stepwell.dialects.diagnostics import CompileError, location_of
from stepwell.lowering.parse import parse_module
from stepwell.lowering.pipeline import Pipeline
from stepwell.passes.number_report_sites import collect_sites

KERNEL = """gpu.module @m {
  func.func private @half(%n: i32) -> i32 {
    %two = arith.constant 2 : i32
    %q = arith.divsi %n, %two : i32
    gpux.print "half of {}" (%n : i32) formats ["i32"]
    func.return %q : i32
  }
  gpu.func @kernel(%p: i1, %n: i32) kernel {
    gpux.check %p, "assert", "no" formats []
    %a = func.call @half(%n) : (i32) -> i32
    %b = func.call @half(%a) : (i32) -> i32
    gpu.return
  }
}
"""


def run(pipeline: str) -> ModuleOp:
    module = parse_module(KERNEL, "kernel.mlir")
    Pipeline.parse(pipeline).run(module)
    return module


def test_sites_are_listed_in_the_order_of_their_numbers():
    sites = collect_sites(run("inline,number-report-sites"))
    assert [(site["kind"], site["message"], site["formats"]) for site in sites] == [
        ("assert", "no", ()),
        ("print", "half of {}", ("i32",)),
    ]
    assert [(site["file"], site["line"], site["column"]) for site in sites] == [
        ("kernel.mlir", 9, 5),
        ("kernel.mlir", 5, 5),
    ]
    assert {site["function"] for site in sites} == {"kernel"}


def test_sites_without_numbers_are_refused():
    with pytest.raises(CompileError, match="has no site number") as error:
        collect_sites(run("inline"))
    assert error.value.hint == "run number-report-sites first"


def test_inlined_code_keeps_the_lines_of_the_callee():
    places = [location_of(op) for op in run("inline").walk() if isinstance(op, arith.DivSIOp)]
    assert [place.line for place in places if place is not None] == [4, 4]
