"""The train stage, noting when it got where, and what each step cost.

``STRUCTNETS_TEST_MARKS`` names a folder; every process leaves a file of JSON lines there.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from pipelines import train


def note(what: str, **values: Any) -> None:
    """Write down that something happened now."""
    file = Path(os.environ["STRUCTNETS_TEST_MARKS"], f"{os.getpid()}-{time.time_ns()}.json")
    file.write_text(json.dumps({"what": what, "time": time.time(), **values}))


def work(config: dict[str, Any]) -> None:
    """Train in a worker, to which Ray sends this by value."""
    import json
    import os
    import time
    from pathlib import Path

    import psutil

    def note(what: str, **values: Any) -> None:
        file = Path(os.environ["STRUCTNETS_TEST_MARKS"], f"{os.getpid()}-{time.time_ns()}.json")
        file.write_text(json.dumps({"what": what, "time": time.time(), **values}))

    note("worker's process", time=psutil.Process().create_time())
    note("work")
    from pipelines.cluster.training_worker import work as whole
    from structnets.training import loop

    note("imports of work")
    step, seconds, processor = loop.GradientTraining._step, [], []

    def timed(self: Any, *given: Any) -> Any:
        begun, used = time.perf_counter(), time.process_time()
        result = step(self, *given)
        if not seconds:
            note("first step")
        seconds.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
        return result

    loop.GradientTraining._step = timed  # type: ignore[method-assign]
    try:
        whole(config)
    finally:
        note("steps", seconds=seconds, processor=processor)


if __name__ == "__main__":
    note("stage's process", time=psutil.Process().create_time())
    note("imports of the stage")
    fit = train._fit

    def noted(*given: Any) -> None:
        """Fit, once Ray runs."""
        note("Ray runs")
        fit(*given)
        note("end of the fit")

    train._fit, train.work = noted, work
    sys.exit(train.main(sys.argv[1:]))
