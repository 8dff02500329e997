"""The training loop: mini-batch gradients with exact resumption.

The loop counts global steps. Everything random is a function of (seed, step, rank), so a run
that is killed and resumed from a checkpoint computes what an uninterrupted one computes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from structnets.data.batches.examples import Examples, Step
from structnets.data.batches.seeding import epoch_order, seed_step, worker_part
from structnets.forms.tasks import Task
from structnets.forms.workers import Workers
from structnets.nn import chosen_ways, set_chosen_ways
from structnets.specs.resolved import GradientSpec
from structnets.training import provenance
from structnets.training.checkpoint import load_checkpoint, save_checkpoint
from structnets.training.loss_record import LossRecord
from structnets.training.optimization import build_optimizer, learning_rate
from structnets.training.reporting import Reporter, StoppedError, row_of

CHECKPOINT_SECONDS = 30.0
ASK_EVERY = 16
FORMAT = 2  # of checkpoints
_AMP = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass
class Position:
    """Where a training stands."""

    step: int = 0
    seconds: float = 0.0
    curve: list[dict[str, float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    """Mean loss of each `structnets.training.loss_record.WINDOW` steps."""


class GradientTraining:
    """Train a model for a task by the gradient recipe of a resolved spec.

    Parameters
    ----------
    spec : dict
        Resolved spec.
    model : nn.Module
        On `device`.
    task : Task
        Its loss is minimised.
    train : Examples
        Training examples, the held-out ones already removed.
    validation : Examples or None
        Held-out examples, measured every k epochs if the recipe says so.
    checkpoints : Path
        Directory of this run's checkpoints.
    identity : dict
        What a checkpoint must agree with on resume: digests of spec and data.
    origin : dict
        Code and versions that compute now; kept with the steps they computed.
    reporter : Reporter
        Told about every epoch, on rank 0.
    """

    def __init__(
        self,
        spec: GradientSpec,
        model: nn.Module,
        task: Task,
        train: Examples,
        validation: Examples | None,
        checkpoints: Path,
        identity: dict[str, str],
        origin: dict[str, Any],
        reporter: Reporter,
    ) -> None:
        if next(model.parameters(), None) is None:
            name = spec["model"]["name"]
            raise ValueError(f"model {name!r} has nothing to train: use recipe kind closed_form")
        self.recipe, self.seed = spec["recipe"], spec["seed"]
        self.model, self.task = model, task
        self.train_set, self.validation = train, validation
        self.checkpoints, self.reporter = checkpoints, reporter
        self.identity = {"format": FORMAT, **identity}
        self.origin = origin
        self.workers = Workers.current()
        self.device = next(model.parameters()).device
        self.optimizer = build_optimizer(self.recipe["optimizer"], model.parameters())
        half = self.recipe["amp"] == "float16"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=half)
        self.batches = self._batches_per_epoch()
        self.position = Position()
        # Several workers agree on stopping and saving by communication, so they ask less often.
        self._ask_every = 1 if self.workers.size == 1 else ASK_EVERY
        self._resume()
        stepped = self.workers.wrap(model, self.device)
        self.stepped = torch.compile(stepped) if self.recipe["compile"] else stepped

    def run(self) -> Position:
        """Train to the last epoch; returns the final position with the whole curve.

        Raises
        ------
        StoppedError
            If the reporter asked to stop; the state was saved.
        """
        steps = self.recipe["epochs"] * self.batches
        begun = saved = time.monotonic()
        before = self.position.seconds
        self.model.train()
        examples: Iterator[tuple[Tensor, Tensor, int]] = iter(())
        while self.position.step < steps:
            epoch, index = divmod(self.position.step, self.batches)
            if index == 0 or self.position.step == self._resumed_at:
                examples = self._enter_epoch(epoch, index)
            loss = self._step(*next(examples))
            self.position.step += 1
            self.record.add(loss, self.position.step)
            self.position.seconds = before + time.monotonic() - begun
            if index == self.batches - 1:
                self._end_epoch(epoch + 1)
            if self.position.step % self._ask_every and self.position.step < steps:
                continue
            if self.workers.any(self.reporter.stop_requested(), self.device):
                self._save()
                raise StoppedError(f"stopped on request at step {self.position.step} of {steps}")
            due = time.monotonic() - saved > CHECKPOINT_SECONDS
            if self.workers.any(due or self.position.step == steps, self.device):
                self._save()
                saved = time.monotonic()
        return self.position

    def _batches_per_epoch(self) -> int:
        count, size = len(self.train_set), self.recipe["batch_size"]
        batches = count // size if self.recipe["drop_last"] else -(-count // size)
        if batches == 0:
            raise ValueError(
                f"batch_size {size} is larger than the {count} training images and drop_last is on"
            )
        return batches

    def _enter_epoch(self, epoch: int, index: int) -> Iterator[tuple[Tensor, Tensor, int]]:
        """Set the rate of an epoch; return its examples from a batch on, and the batches' sizes."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.recipe, epoch)
        order, size = epoch_order(len(self.train_set), self.seed, epoch), self.recipe["batch_size"]
        steps = []
        for number in range(index, self.batches):
            batch = order[number * size : (number + 1) * size]
            part = worker_part(len(batch), self.workers.rank, self.workers.size)
            steps.append(Step(epoch * self.batches + number, batch, part))
        stream = self.train_set.stream(steps, self.device)
        return ((*read, len(step.batch)) for step, read in zip(steps, stream, strict=True))

    def _step(self, inputs: Tensor, targets: Tensor, count: int) -> Tensor:
        """Take one step; returns this worker's share of the mean loss of the global batch."""
        seed_step(self.seed, self.position.step, self.workers.rank)
        with self._precision():
            # A sum over the share divided by the global batch: right for unequal shares.
            loss = self.task.loss(self.stepped(inputs), targets) / count
        self.optimizer.zero_grad(set_to_none=True)
        # DDP averages over workers; times their number gives the sum.
        self.scaler.scale(loss * self.workers.size).backward()
        if self.recipe["clip_norm"] is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe["clip_norm"])
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.detach()

    def _precision(self) -> AbstractContextManager[Any]:
        amp = self.recipe["amp"]
        return torch.autocast(self.device.type, _AMP[amp]) if amp else nullcontext()

    def _end_epoch(self, epoch: int) -> None:
        position = self.position
        loss = self.record.end_epoch(self.batches)
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"training loss is {loss} in epoch {epoch}: lower recipe.optimizer.lr "
                f"({self.recipe['optimizer']['lr']}) or set recipe.clip_norm"
            )
        images = position.step * self.recipe["batch_size"]
        row = row_of(
            epoch,
            position.step,
            train_loss=loss,
            lr=learning_rate(self.recipe, epoch - 1),
            images_per_s=images / position.seconds,
        )
        every = self.recipe["evaluation"]["every"]
        if (
            every
            and self.validation is not None
            and (epoch % every == 0 or epoch == self.recipe["epochs"])
        ):
            measured = self.task.measure(self.model, self.validation, self.device)
            row[f"val_{self.task.metric}"] = measured.metrics[self.task.metric]
            self.model.train()
        position.curve.append(row)
        if self.workers.rank == 0:
            self.reporter.epoch(row, self.recipe["epochs"])

    def _save(self) -> None:
        position, losses = self.position, self.record.state()
        if self.workers.rank != 0:
            return
        state = {
            **self.identity,
            "origin": self.origin,
            "step": position.step,
            "losses": losses,
            "seconds": position.seconds,
            "curve": position.curve,
            "model": self.model.state_dict(),
            "ways": chosen_ways(self.model),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
        }
        save_checkpoint(self.checkpoints, position.step, state)

    def _resume(self) -> None:
        state = load_checkpoint(self.checkpoints)
        self._resumed_at = state["step"] if state else 0
        self.record = LossRecord(self.workers, self.device, state and state.get("losses"))
        self.position.losses = self.record.windows
        if state is None:
            return
        for key, value in self.identity.items():
            if state.get(key) != value:
                raise ValueError(
                    f"{self.checkpoints} holds a run with another {key} ({state.get(key)!r}, now "
                    f"{value!r}): remove that directory to train anew"
                )
        self.model.load_state_dict(state["model"])
        set_chosen_ways(self.model, state.get("ways", {}))
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        if state["step"] == self.recipe["epochs"] * self.batches:
            self.origin = state["origin"]  # nothing is left to compute
        else:
            self.origin = provenance.continued(state["origin"], self.origin)
        windows = self.record.windows
        self.position = Position(state["step"], state["seconds"], state["curve"], windows)
        if self.workers.rank == 0:
            self.reporter.resumed(self.position.curve)
