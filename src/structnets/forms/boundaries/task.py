"""Finding boundaries: class-balanced cross-entropy, and the benchmark of BSDS (section 4.4.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.forms.boundaries.images import BoundaryImages
from structnets.forms.tasks import Measurement
from structnets.forms.workers import Workers
from structnets.specs.resolved import BoundarySettings, DetectionSpec

_SURE = 1e-6  # mean answers are kept that far from 0 and 1, where their cross-entropy ends


class BoundaryDetection:
    """The task of data whose labels are maps of boundaries.

    Parameters
    ----------
    metric : {'ods', 'ois', 'ap'}
        Which number is reported.
    positive_weight : float
        Pixels off a boundary for each one on it, in the training images.
    settings : dict
        ``sparsity``, ``thresholds``, ``max_distance`` and ``nms`` of the recipe's ``boundaries``.
    """

    def __init__(self, metric: str, positive_weight: float, settings: BoundarySettings) -> None:
        self.metric = metric
        # Both classes weigh one half on average, so that a net that knows nothing has log 2.
        self.weights = (1 + positive_weight) / 2 / positive_weight, (1 + positive_weight) / 2
        self.rate = 1 / (1 + positive_weight)
        self.settings = settings

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the sum over images of their balanced cross-entropy, a mean over pixels.

        The weights are those of the whole training set, not of each crop: one without any
        boundary counts too, and any number of workers computes the same. With ``sparsity`` s, the
        term s H(r, q) of H-Net's released code is added, in its proportion: the cross-entropy of
        the rate r of boundaries and the mean answer q, of each image (there: of each batch).

        Parameters
        ----------
        outputs : Tensor, shape (B, K, H, W)
            Logits; each of the K maps is supervised, and their losses add up.
        targets : Tensor, shape (B, 1, H, W)
            1 at boundaries.

        Raises
        ------
        ValueError
            If the outputs are no maps of the targets' size.
        """
        if outputs.ndim != 4 or outputs.shape[2:] != targets.shape[2:]:
            raise ValueError(
                f"the model answers {tuple(outputs.shape)} to images with boundaries "
                f"{tuple(targets.shape)}: it is no boundary detector"
            )
        off, on = self.weights
        weight = torch.where(targets > 0, on, off)
        errors = functional.binary_cross_entropy_with_logits(
            outputs, targets.expand_as(outputs), weight.expand_as(outputs), reduction="none"
        )
        losses = errors.mean((2, 3))
        if sparsity := self.settings.get("sparsity"):  # specs resolved before it lack it
            mean = torch.sigmoid(outputs.float()).mean((2, 3)).clamp(_SURE, 1 - _SURE)
            apart = -self.rate * mean.log() - (1 - self.rate) * torch.log1p(-mean)
            losses = losses + sparsity * off * apart
        return losses.sum()

    @torch.no_grad()
    def measure(
        self, model: nn.Module, examples: BoundaryImages, device: torch.device
    ) -> Measurement:
        """Run `model` on whole images and compare with all annotators, as the benchmark does.

        The same for a test split and for validation images during training, whose cost is
        about 0.2 s an image besides the net's. Upright photographs are turned back first.

        Returns
        -------
        Measurement
            Metrics ``ods``, ``ois`` and ``ap`` in 0..1, and ``loss``; the details hold
            ``boundaries``: the summary (`structnets.metrics.boundary.summarize`), the counts
            that its curve was made of, summed over images, and the settings.
        """
        # Compiled loops of numba, which a training itself does not need.
        from structnets.metrics.boundary.counting import (
            COLUMNS,
            Settings,
            count_matches,
            threshold_values,
        )
        from structnets.metrics.boundary.scores import summarize

        settings = Settings(
            self.settings["thresholds"], self.settings["max_distance"], nms=self.settings["nms"]
        )
        model.eval()
        workers = Workers.current()
        shape = (len(examples), settings.thresholds, len(COLUMNS))
        counts = torch.zeros(shape, dtype=torch.int64, device=device)
        loss = torch.zeros((), dtype=torch.float64, device=device)
        for place in range(len(examples))[workers.rank :: workers.size]:
            image, targets = examples.batch(np.array([place]), device)
            logits = model(image)
            loss += self.loss(logits, targets).double()
            strength = torch.sigmoid(logits[0, 0].float()).cpu().numpy()
            truths = examples.truths(place)
            if examples.upright(place):
                strength, truths = strength.T, truths.swapaxes(1, 2)
            found = count_matches(strength, list(truths), settings)
            counts[place] = torch.from_numpy(found).to(device)
        every = workers.sum(counts).cpu().numpy()
        workers.sum(loss)
        names = [examples.name(place) for place in range(len(examples))]
        summary = summarize(names, every, threshold_values(settings.thresholds))
        metrics = {
            "ods": summary["ods"]["f"],
            "ois": summary["ois"]["f"],
            "ap": summary["ap"],
            "loss": float(loss) / len(examples),
        }
        counted = {"columns": list(COLUMNS), "counts": every.sum(axis=0).tolist()}
        return Measurement(
            metrics, {"boundaries": {**summary, **counted, "settings": settings.record()}}
        )


def make_task(spec: DetectionSpec, manifest: dict[str, Any]) -> BoundaryDetection:
    """Return the task (`structnets.forms.tasks.make_task`)."""
    weight = manifest["counts"]["train"]["positive_weight"]
    return BoundaryDetection(spec["metric"], weight, spec["recipe"]["boundaries"])
