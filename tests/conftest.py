"""For all tests: a cache folder of their own, and ptxas as a reader of all PTX that they make."""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest
from oracles import ptxas


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Neither read nor fill the cache of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def every_ptx_is_read() -> Generator[None]:
    """By ptxas, where it is installed."""
    with pytest.MonkeyPatch.context() as patch:
        ptxas.watch(patch)
        yield


@pytest.fixture(scope="module", autouse=True)
def own_garbage(request: pytest.FixtureRequest) -> Generator[None]:
    """Tests of a file that collects garbage look at what that file has made.

    What some thousand tests before them have left takes half a second each time.
    """
    if not isinstance(request.node, pytest.Module) or request.node.obj.__dict__.get("gc") is not gc:
        yield
        return
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
