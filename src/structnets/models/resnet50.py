"""ResNet-50, with which the thesis compares the i-RevNet: torchvision's, without its weights."""

from __future__ import annotations

from torch import nn


def resnet50(num_classes: int = 1000) -> nn.Module:
    """Build ResNet-50 (25.6M parameters with 1000 classes).

    Parameters
    ----------
    num_classes : int
        Outputs.

    Returns
    -------
    torch.nn.Module
        For images (B, 3, H, W), made for 224 x 224.
    """
    from torchvision.models import resnet50 as build

    return build(weights=None, num_classes=num_classes)
