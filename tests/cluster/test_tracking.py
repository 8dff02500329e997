"""MLflow over PostgreSQL: many trainings log at once, and each step arrives once."""

import json
import sys
import time

import pytest

from tests.cluster.checkout import its_modules
from tests.made_results import REPOSITORY

pytestmark = pytest.mark.cluster
STEPS = 200
# Eight trackers of each of four processes.
WRITERS = """
import json, multiprocessing, sys, threading, time
from pathlib import Path
from pipelines.tracking import Tracker, experiments, store

folder, steps = Path(sys.argv[1]), int(sys.argv[2])

def write(name):
    tracker = Tracker.open(
        None, folder, "writers", name, params={}, tags={}, spool=folder / name, patience=0
    )
    for step in range(steps):
        tracker.log_metrics(step, {"loss": float(step)})
        time.sleep(0.01)
    assert tracker.finish(timeout=300)

def process(number):
    threads = [threading.Thread(target=write, args=(f"{number}-{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

client = store.connect(store.resolve_uri(None, folder))
experiments.experiment_id(client, store.resolve_uri(None, folder), folder, "writers")
processes = [multiprocessing.Process(target=process, args=(n,)) for n in range(4)]
begun = time.monotonic()
for one in processes:
    one.start()
for one in processes:
    one.join()
    assert one.exitcode == 0
seconds = time.monotonic() - begun
found = []
for run in store.all_runs(client, ["writers"]):
    history = client.get_metric_history(run.info.run_id, "loss")
    found.append((run.data.tags["run_id"], sorted(metric.step for metric in history)))
print(json.dumps({"seconds": seconds, "found": found}))
"""


def test_32_writers(cluster, tracking):
    begun = time.monotonic()
    done = cluster.run(
        *(sys.executable, "-c", WRITERS, str(cluster.state / "writers"), str(STEPS)),
        timeout=600,
        PYTHONPATH=its_modules(REPOSITORY),
        MLFLOW_TRACKING_URI=tracking.uri,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    names = sorted(name for name, _ in answer["found"])
    assert names == sorted(f"{process}-{thread}" for process in range(4) for thread in range(8))
    wrong = {name: steps for name, steps in answer["found"] if steps != list(range(STEPS))}
    assert wrong == {}
    rate = 32 * STEPS / answer["seconds"]
    print(f"\n32 writers: {rate:.0f} metrics/s in {time.monotonic() - begun:.0f} s")
