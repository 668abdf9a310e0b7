# The settings of LLVM's lit (`pip install lit; lit lit`), which runs these files as `stepwell lit`
# does.
"""Configuration for LLVM's lit; lit itself gives `config` and `lit_config`."""

import os
import sys
import tempfile

import lit.formats

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(_HERE), "src"))

try:
    from stepwell.tools.lit import features, runner
except ModuleNotFoundError as missing:
    lit_config.fatal(
        f"{sys.executable} has no {missing.name}: run the lit of the environment that has "
        "stepwell (`pip install lit` there), or `stepwell lit`, which needs no lit"
    )

config.name = "stepwell"
config.test_format = lit.formats.ShTest(execute_external=False)
config.test_source_root = _HERE
config.test_exec_root = os.path.join(tempfile.gettempdir(), "stepwell-lit")
config.suffixes = sorted(runner.TEST_SUFFIXES)
config.excludes = [runner.CONFIGURATION, "Inputs"]
config.available_features.update(features.available())
config.environment["PATH"] = features.search_path()
