"""Using what was trained: loading a run, answering for new pictures, exporting the net."""

from structnets.prediction.loading import Loaded, load

__all__ = ["Loaded", "load"]
