"""The data package needs numpy and the standard library only."""

import subprocess
import sys

SCRIPT = """
import sys
import structnets.data.sets.mnist, structnets.data.sets.digits
import structnets.data.originals.download
heavy = {"torch", "sklearn", "scipy", "pydantic", "rich", "matplotlib"} & set(sys.modules)
print(", ".join(sorted(heavy)))
"""


def test_nothing_heavy_is_imported():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
