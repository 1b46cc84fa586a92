"""Folders of the checkout that tests read or run programs of."""

from pathlib import Path

SUPPORT = Path(__file__).parent
ROOT = SUPPORT.parents[1]
BENCHMARKS = ROOT / "benchmarks"
EXAMPLES = ROOT / "examples"
TOOLS = ROOT / "tools"
