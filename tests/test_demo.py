"""`stepwell demo`: the whole of it, its checks, and what it says about input that it cannot use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import stepwell as sw
from stepwell.tools import demo, demo_fractal, demo_image, demo_sorts
from stepwell.tools.demo_common import Outcome
from stepwell.tools.main import main


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def image_file(path: Path, width: int = 31, height: int = 17, mode: str = "RGB") -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return path


def test_everything_is_ok_and_pictures_are_written(here: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["demo"]) == 0
    shown = capsys.readouterr().out
    for device in sw.devices():
        assert f"{device.name}: " in shown
    for word in ("compile ms", "upload ms", "kernels ms", "download ms", "GB/s", "9 sorts"):
        assert word in shown
    assert "FAILED" not in shown
    assert shown.count(" ok ") == 3 * len(sw.devices())
    with Image.open(here / "stepwell-fractal.png") as fractal:
        assert fractal.size == (demo_fractal.WIDTH, demo_fractal.HEIGHT)
        assert len(fractal.getcolors(1 << 20) or []) > 50
    with Image.open(demo_image.PHOTO) as photo, Image.open(here / "stepwell-image.png") as made:
        assert made.size == (2 * photo.width, 2 * photo.height)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1"])
def test_an_image_of_any_kind_is_filtered(here: Path, mode: str):
    image = demo_image.load(image_file(here / "a.png", mode=mode))
    for device in sw.devices():
        outcome, results = demo_image.run(device, image)
        assert outcome.problems == []
        assert results.blurred.shape == image.shape


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (3, 3), (300, 1)])
def test_small_and_thin_images(here: Path, size: tuple[int, int]):
    image = demo_image.load(image_file(here / "a.png", *size))
    for device in sw.devices():
        assert demo_image.run(device, image)[0].problems == []


@pytest.mark.parametrize("case", demo_sorts.CASES, ids=str)
def test_each_sort_gives_its_values_in_order(case: demo_sorts.Case):
    values = case.values()
    assert values.size == (16 if case.special else 1000)
    for device in sw.devices():
        session = demo_sorts.Session(device, "test")
        got = np.frombuffer(demo_sorts.sort(session, case), values.dtype)
        assert session.outcome.problems == []
        assert np.array_equal(got, np.sort(values)[:: -1 if case.descending else 1])


def test_the_nine_sorts_are_those_that_were_promised():
    kinds = [(case.dtype, case.special, case.descending) for case in demo_sorts.CASES]
    assert len(set(kinds)) == 9
    assert sum(case.descending for case in demo_sorts.CASES) == 3
    special = demo_sorts.Case("f32", True).values()
    assert np.isinf(special).sum() == 2
    assert (np.signbit(special) & (special == 0)).sum() == 2
    assert ((special != 0) & (abs(special) < np.finfo(np.float32).tiny)).sum() == 4


@pytest.mark.parametrize("damage", ["order", "lost", "zeros"])
def test_a_wrong_sort_is_noticed(damage: str):
    case = demo_sorts.Case("f32", True)
    values = case.values()
    origin = np.argsort(demo_sorts.total_order(values), kind="stable").astype(np.uint32)
    outcome = Outcome("none", "sorts")
    demo_sorts.check(outcome, case, values, values[origin], origin)
    assert outcome.problems == []
    wrong = values[origin].copy()
    if damage == "order":
        wrong[[0, 5]] = wrong[[5, 0]]
    elif damage == "lost":
        wrong[3] = wrong[4]
    else:
        wrong[wrong == 0] = 0.0
    demo_sorts.check(outcome, case, values, wrong, origin)
    assert outcome.problems


def test_a_failed_check_fails_the_command(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(demo_image, "expected_edges", np.copy)
    assert main(["demo", "--image", str(image_file(here / "a.png"))]) == 1
    shown = capsys.readouterr().out
    assert "edges differ from NumPy's" in shown
    assert "FAILED" in shown


def test_one_device_only(here: Path, capsys: pytest.CaptureFixture[str]):
    image = image_file(here / "a.png")
    assert main(["demo", "--device", "cpu", "--image", str(image)]) == 0
    assert "a.png (31 x 17)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot read"),
        (b"", "is not an image"),
        (b"not a picture at all", "is not an image"),
        (b"\x89PNG\r\n\x1a\n", "is not an image"),
    ],
)
def test_a_file_that_is_no_image(
    here: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
):
    if content is not None:
        (here / "bad.png").write_bytes(content)
    assert main(["demo", "--image", "bad.png"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "bad.png" in error
    assert "Traceback" not in error
    assert not list(here.glob("stepwell-*"))


def test_an_image_that_is_cut_off(here: Path, capsys: pytest.CaptureFixture[str]):
    whole = image_file(here / "whole.png", 200, 200).read_bytes()
    (here / "cut.png").write_bytes(whole[: len(whole) // 2])
    assert main(["demo", "--image", "cut.png"]) == 2
    assert "cut.png" in capsys.readouterr().err


def test_a_folder_as_image(here: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["demo", "--image", str(here)]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_an_unknown_device(here: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["demo", "--device", "abacus"]) == 2
    assert "there is no device 'abacus'" in capsys.readouterr().err


def test_devices_that_disagree_are_noticed(here: Path):
    case_bytes = [b"1234"] * len(demo_sorts.CASES)
    two = demo.Demo([], np.zeros((1, 1, 3), np.uint8), here)
    two.sorted = {"one": case_bytes, "two": [*case_bytes[:-1], b"1243"]}
    two.outcomes = [Outcome("one", "9 sorts"), Outcome("two", "9 sorts")]
    two.compare_devices()
    assert two.outcomes[0].problems == []
    [problem] = two.outcomes[1].problems
    assert "not the same bits as on one" in problem


def test_a_missing_package_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(demo.NEEDED, "a_module_that_is_not_there", "its-package")
    assert main(["demo"]) == 2
    assert "pip install its-package" in capsys.readouterr().err
