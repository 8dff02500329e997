"""How the classification nets of Table 6 come to learn in a frame."""

from __future__ import annotations

from torch import nn

from structnets.bases.frames import frame_name
from structnets.nn.frame_conv import FrameConv2d
from structnets.nn.reparametrize import reparametrize


def learn_in_frame(model: nn.Module, frame: str) -> None:
    """Replace the convolutions by frame convolutions and draw all weights anew.

    Filters of every frame, pixels included, get He et al.'s variance, their coefficients being
    independent; linear layers keep torch's weights and get no bias at first.

    Parameters
    ----------
    model : nn.Module
        Made of plain convolutions; changed in place.
    frame : str
        As in `reparametrize`; ``pixel`` leaves plain convolutions.
    """
    if frame_name(frame) != "pixel":
        reparametrize(model, frame)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        elif isinstance(module, FrameConv2d):
            module.reset_parameters()
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
