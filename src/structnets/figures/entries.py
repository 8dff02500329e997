"""The kinds of figures there are, by name: what makes each, from how many trained networks.

Importing this imports no torch and no matplotlib, since the workflow reads it at every parse.
"""

from __future__ import annotations

from dataclasses import dataclass

from structnets.entries import Entry, Registry

_PICTURE = ("svg", "png")
_WITH_DATA = (*_PICTURE, "csv")


@dataclass(frozen=True)
class FigureEntry(Entry):
    """One kind of figure.

    Attributes
    ----------
    constructor : str
        What makes it. From trained networks: a function of a `structnets.figures.context.Context`
        and the checked options, which draws and returns the measured values. Drawn by code: a
        function of the path without ending and ``title``, which returns the files.
    note : str
        One line.
    options : str or None
        What its options must look like, as ``package.module:Class``, a `structnets.specs`
        model; None for a drawing, which has none.
    models : tuple of int
        Least and greatest number of trained networks.
    files : tuple of str
        Endings of what it writes; csv holds the drawn numbers.
    titled : bool
        Whether a drawing is given its title.
    """

    options: str | None = None
    models: tuple[int, int] = (0, 0)
    files: tuple[str, ...] = _WITH_DATA
    titled: bool = True

    @property
    def drawn(self) -> bool:
        """Whether it is drawn by code alone, which measures nothing."""
        return self.options is None


def _of_networks(name: str, options: str, models: tuple[int, int], note: str) -> FigureEntry:
    folder = f"structnets.figures.{name}"
    return FigureEntry(f"{folder}.make:{name}", note, f"{folder}.options:{options}", models)


def _drawn(
    name: str, function: str, note: str, files: tuple[str, ...] = _WITH_DATA, titled: bool = True
) -> FigureEntry:
    return FigureEntry(
        f"structnets.figures.{name}.draw:{function}", note, files=files, titled=titled
    )


FIGURES: Registry[FigureEntry] = Registry(
    "figure",
    {
        "learned_filters": _of_networks(
            "learned_filters",
            "LearnedFilters",
            (1, 4),
            "filters of a structured layer, and the basis they are learned from",
        ),
        "atom_weights": _of_networks(
            "atom_weights",
            "AtomWeights",
            (1, 4),
            "mean and deviation of the weights of every atom, by layer",
        ),
        "blob_pictures": _of_networks(
            "blob_pictures",
            "BlobPictures",
            (1, 9),
            "what small nets see, choose and answer on textured blobs",
        ),
        "outlines": _of_networks(
            "outlines",
            "Outlines",
            (1, 1),
            "outlines that a dynamic block finds in made images, and in a photograph",
        ),
        "detections": _of_networks(
            "detections",
            "Detections",
            (1, 4),
            "precision and recall of boundary detectors, their answers beside what people drew",
        ),
        "translated_arrays": _of_networks(
            "translated_arrays",
            "TranslatedArrays",
            (1, 1),
            "images whose attribute arrays are nearest to translated ones, in the last layer",
        ),
        "translation_by_depth": _of_networks(
            "translation_by_depth",
            "TranslationByDepth",
            (1, 1),
            "images whose attribute arrays are nearest to translated ones, at every depth",
        ),
        "class_kept": _of_networks(
            "class_kept",
            "ClassKept",
            (1, 1),
            "how often the neighbour keeps the class, and how far the net is from covariance",
        ),
        "training_loss": _of_networks(
            "training_loss", "TrainingLoss", (1, 6), "training losses by iteration"
        ),
        "singular_values": _of_networks(
            "singular_values",
            "SingularValues",
            (1, 4),
            "singular values of the differential and their cumulated energy",
        ),
        "inversion_errors": _of_networks(
            "inversion_errors",
            "InversionErrors",
            (1, 4),
            "relative errors of inverted noise and images",
        ),
        "stability": _of_networks(
            "stability",
            "Stability",
            (1, 1),
            "whether a net can be inverted in float32 and bfloat16, block by block",
        ),
        "interpolations": _of_networks(
            "interpolations",
            "Interpolations",
            (1, 1),
            "images decoded between the features of two",
        ),
        "separability_by_depth": _of_networks(
            "separability_by_depth",
            "SeparabilityByDepth",
            (1, 3),
            "accuracy of a linear SVM and a nearest neighbour by depth",
        ),
        "separability_by_components": _of_networks(
            "separability_by_components",
            "SeparabilityByComponents",
            (1, 3),
            "accuracy of a linear SVM and a nearest neighbour by number of principal components",
        ),
        "step_times": _of_networks(
            "step_times",
            "StepTimes",
            (0, 0),
            "how long steps of a net take beside those of another",
        ),
        "training_memory": _of_networks(
            "training_memory",
            "TrainingMemory",
            (0, 0),
            "memory and time of a training step by depth: stored, checkpointed, reversible",
        ),
        "linearization_schematic": _drawn(
            "linearization_schematic",
            "draw_linearization",
            "unknown transformations as steps on a grid",
            _PICTURE,
        ),
        "googlenet_filters": _drawn(
            "googlenet_filters",
            "draw_googlenet_filters",
            "random filters of a trained GoogLeNet, from weights the user gives",
            _PICTURE,
        ),
        "receptive_fields": _drawn(
            "receptive_fields",
            "draw_receptive_fields",
            "filters as weighted sums of Gaussian derivatives",
        ),
        "brain_responses": _drawn(
            "brain_responses",
            "draw_brain_responses",
            "Gaussian derivatives of the average brain and of a made patient's",
            _PICTURE,
        ),
        "block_schematics": _drawn(
            "block_schematics",
            "draw_blocks",
            "a static residual block and a dynamic steerable one",
            _PICTURE,
        ),
        "frames_plane": _drawn(
            "frames_plane", "draw_frames_plane", "a basis and an overcomplete frame of the plane"
        ),
        "frame_atoms": _drawn(
            "frame_atoms", "draw_frame_atoms", "atoms of the frames on 3 × 3 pixels, with bounds"
        ),
        "hierarchy_schematic": _drawn(
            "hierarchy_schematic",
            "draw_hierarchy_schematic",
            "how an output value is made in a plain layer and in a hierarchical one",
            _PICTURE,
            titled=False,
        ),
        "hcnn_layers": _drawn(
            "hcnn_layers", "draw_hcnn_layers", "sizes of the arrays of the hierarchical CNN"
        ),
        "invertible_block": _drawn(
            "invertible_block", "draw_block", "the invertible block and its inverse", _PICTURE
        ),
        "invertible_down_sampling": _drawn(
            "invertible_down_sampling", "draw_down_sampling", "where the pixels of a map go"
        ),
    },
    "structnets.figures",
)
