"""Tracking: what a run tells MLflow, written to disk first and sent when the server is there.

This package alone talks to MLflow (imported lazily, in `store`). Every run has a `Spool`, a
record of JSON lines in its scratch folder. Writing a line there is all that a training ever
waits for; a `Shipper` (in a background thread of the driver's `Tracker`, or in the command
``python -m pipelines.tracking flush``) carries the lines to MLflow, each exactly once. A server
that is away therefore neither stops nor slows a training: its lines wait on disk.

==============  ==========================================================================
who             uses
==============  ==========================================================================
driver          `Tracker.open`, then `log_artifacts`, `set_tags`, `finish`
worker, rank 0  `Spool(directory).log_metrics(step, values)`: no MLflow in the worker
render          `log_target`
sweep           `log_sweep` with one `Trial` per trial
audit           `pipelines.tracking.audited_runs`
==============  ==========================================================================
"""

from pipelines.tracking.spool import Spool
from pipelines.tracking.sweeps import Trial, log_sweep
from pipelines.tracking.targets import log_target
from pipelines.tracking.tracker import Tracker

__all__ = ["Spool", "Tracker", "Trial", "log_sweep", "log_target"]
