"""What is there besides the library: optional packages, and the checkout of the pipeline."""

from __future__ import annotations

from pathlib import Path

# The smallest extra that brings a module which training a resolved spec does without.
EXTRAS = {
    "PIL": "boundaries",
    "SimpleITK": "volumes",
    "kymatio": "scattering",
    "matplotlib": "figures",
    "mlflow": "cluster",
    "nibabel": "volumes",
    "nilearn": "volumes",
    "numba": "boundaries",
    "psutil": "cluster",
    "psycopg2": "cluster",
    "pyarrow": "images",
    "pydantic": "spec",
    "pygments": "cluster",
    "ray": "cluster",
    "rich": "spec",
    "scipy": "boundaries",
    "skimage": "images",
    "simplejpeg": "images",
    "sklearn": "scattering",
    "snakemake": "cluster",
    "torchvision": "full",
    "typer": "cluster",
    "yaml": "spec",
}
_PARTS = ("workflow/Snakefile", "pipelines/__init__.py", "src/structnets/__init__.py")


def remedy(error: ModuleNotFoundError) -> str:
    """Say in one line which module is missing, and what brings it."""
    extra = EXTRAS.get(str(error.name).partition(".")[0])
    if extra is None:
        return f"{error}; install the package that it is part of"
    return f"{error}; this needs more: pip install 'structnets[{extra}]'"


def find_checkout(command: str) -> Path:
    """Return the checkout around the working folder, or else the one the library runs from.

    Parameters
    ----------
    command : str
        Who needs it, for the message.

    Raises
    ------
    ValueError
        If there is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if all((folder / part).is_file() for part in _PARTS):
            return folder
    raise ValueError(
        f"{command} is part of the pipeline, which runs from a checkout of structnets: change into "
        f"one, or install it as it is there (pip install --editable CHECKOUT); {here} is in none"
    )
