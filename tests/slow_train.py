"""The train stage, made slow: it saves at every step, and every epoch takes some seconds more.

``STRUCTNETS_TEST_EPOCH_SECONDS`` says how many (half a one by default), and
``STRUCTNETS_TEST_SAVE_SECONDS`` how many pass between two checkpoints (none by default).
"""

import sys
from typing import Any

from pipelines import train


def work(config: dict[str, Any]) -> None:
    """Train in a worker, to which Ray sends this by value."""
    import os
    import time

    from pipelines.cluster.training_worker import work as whole
    from structnets.training import loop, reporting

    loop.CHECKPOINT_SECONDS = float(os.environ.get("STRUCTNETS_TEST_SAVE_SECONDS", "-1"))
    loop.ASK_EVERY = 1
    tell = reporting.Progress.epoch

    def epoch(self: Any, row: dict[str, float], epochs: int) -> None:
        tell(self, row, epochs)
        time.sleep(float(os.environ.get("STRUCTNETS_TEST_EPOCH_SECONDS", "0.5")))

    reporting.Progress.epoch = epoch  # type: ignore[method-assign]
    whole(config)


if __name__ == "__main__":
    train.work = work
    sys.exit(train.main(sys.argv[1:]))
