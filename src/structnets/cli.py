"""The command line: ``structnets models | results | train | validate | analyse | …``.

Parsed with argparse, because ``structnets train`` must run where only torch and numpy are
installed (under torchrun: ``torchrun --nproc-per-node 2 -m structnets.cli train …``). Commands that
need Ray or MLflow live in the ``pipelines/`` of a checkout: each is a function with Typer
annotations.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from structnets import __version__
from structnets.entries import load_path
from structnets.figures.boundary_command import add_boundary_eval
from structnets.figures.command import add_analyse
from structnets.files import read_json, write_atomic
from structnets.installation import find_checkout, remedy
from structnets.specs.renamed import RefusedOption
from structnets.specs.resolved import ResolvedSpec

# Name, where it lies in a checkout, and what it is for.
OF_CHECKOUT = {"audit": ("pipelines.audit:command", "compare every artifact on disk with MLflow")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; by default those of the process.

    Returns
    -------
    int
        Exit status: 0, or 2 for an error of the user (one message, no traceback unless
        ``--debug`` is given).
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    try:
        if words and words[0] in OF_CHECKOUT:
            _run_of_checkout(words[0], words[1:])
        else:
            options = _parser().parse_args(words)
            options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, say) has seen enough; keep the interpreter from flushing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError, ArithmeticError, ModuleNotFoundError) as error:
        if "--debug" in words or _is_ours(error):
            raise
        print(f"structnets: {_explanation(error)}", file=sys.stderr)
        return 2
    return 0


def _is_ours(error: Exception) -> bool:
    """Tell a module that the project itself fails to provide from an uninstalled package."""
    return isinstance(error, ModuleNotFoundError) and str(error.name).split(".")[0] in (
        "structnets",
        "pipelines",
    )


def _explanation(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return remedy(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _run_of_checkout(name: str, words: list[str]) -> None:
    place, _ = OF_CHECKOUT[name]
    sys.path.insert(0, str(find_checkout(f"structnets {name}")))
    import typer

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(load_path(place))
    app([word for word in words if word != "--debug"], prog_name=f"structnets {name}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="structnets", description="Build, train and study structured convolutional networks."
    )
    parser.add_argument("--version", action="version", version=__version__)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print one JSON document")
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (
        _add_models, _add_targets, _add_results, _add_train, _add_validate, add_analyse,
        add_boundary_eval,
    ):  # fmt: skip
        add(commands, common)
    for name, (_, summary) in OF_CHECKOUT.items():
        commands.add_parser(name, help=f"{summary} (in a checkout; structnets {name} --help)")
    return parser


def _add_models(commands: Any, common: argparse.ArgumentParser) -> None:
    summary = "list the models with computed and printed parameter counts"
    command = commands.add_parser("models", parents=[common], help=summary, description=summary)
    command.add_argument("pattern", nargs="?", default="*", help="shell-style pattern of names")
    command.set_defaults(run=_models)


def _models(options: argparse.Namespace) -> None:
    from structnets.models.description import describe_models

    found = [m for m in describe_models() if fnmatch.fnmatchcase(m["name"], options.pattern)]
    if not found:
        raise ValueError(f"no model matches {options.pattern!r}; `structnets models` lists all")
    if options.json:
        _print_json(found)
    else:
        columns = "name chapter params collapsed_params thesis_params note"
        _print_table(columns.split(), found)


def _add_targets(commands: Any, common: argparse.ArgumentParser) -> None:
    summary = "list the tables, figures, analyses and sweeps that can be asked for by name"
    command = commands.add_parser("targets", parents=[common], help=summary, description=summary)
    command.add_argument("pattern", nargs="?", default="*", help="shell-style pattern of names")
    command.add_argument(
        "--targets",
        type=Path,
        metavar="DIR",
        help="folder of the target files (default: workflow/targets of the checkout)",
    )
    command.set_defaults(run=_targets)


def _targets(options: argparse.Namespace) -> None:
    from structnets.specs.target import load_targets

    folder = options.targets or find_checkout("structnets targets") / "workflow" / "targets"
    described = load_targets(folder).describe()
    found = [one for one in described if fnmatch.fnmatchcase(one["target"], options.pattern)]
    if not found:
        raise ValueError(f"no target matches {options.pattern!r}; `structnets targets` lists all")
    if options.json:
        _print_json(found)
    else:
        _print_table(["target", "kind", "chapter", "title", "presets"], found)


def _add_results(commands: Any, common: argparse.ArgumentParser) -> None:
    summary = "list thesis values beside measured ones, from the committed ledger"
    command = commands.add_parser("results", parents=[common], help=summary, description=summary)
    checkout = Path(__file__).parents[2]
    for option, what in (("ledger", "ledger"), ("targets", "target files")):
        command.add_argument(
            f"--{option}",
            type=Path,
            metavar="DIR",
            default=checkout / "workflow" / option,
            help=f"folder of the {what} (default: workflow/{option} of the checkout)",
        )
    command.add_argument("--tables", action=RefusedOption, help=argparse.SUPPRESS)
    command.add_argument(
        "--write", type=Path, metavar="FILE", help="write them as Markdown (RESULTS.md)"
    )
    command.set_defaults(run=_results)


def _results(options: argparse.Namespace) -> None:
    for folder in (options.ledger, options.targets):
        if not folder.is_dir():
            raise FileNotFoundError(
                f"{folder} is not a folder; run in a checkout, or give --ledger and --targets"
            )
    from structnets.reporting import results

    if options.write is not None:
        write_atomic(options.write, results.markdown(options.ledger, options.targets))
        print(f"wrote {options.write}", file=sys.stderr)
    if options.json:
        _print_json(results.rows(options.ledger, options.targets))
    elif options.write is None:
        columns = "target row column preset data mean sd n thesis hardware stale"
        _print_table(columns.split(), results.rows(options.ledger, options.targets))


def _add_train(commands: Any, common: argparse.ArgumentParser) -> None:
    summary = "train a resolved spec with plain torch, alone or under torchrun"
    command = commands.add_parser("train", parents=[common], help=summary, description=summary)
    command.add_argument("spec", type=Path, metavar="SPEC.json", help="resolved spec")
    for option, what in (("data", "prepared data set"), ("out", "folder of result.json, model.pt")):
        command.add_argument(f"--{option}", type=Path, metavar="DIR", required=True, help=what)
    command.add_argument(
        "--work", type=Path, metavar="DIR", help="checkpoints (default: work/ in the out folder)"
    )
    command.add_argument("--device", choices=("cpu", "cuda"), help="default: a GPU if there is one")
    command.add_argument("--threads", type=int, default=1, help="of each process (default: 1)")
    command.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> None:
    from structnets.training.run import run_spec

    spec = _checked_where_possible(read_json(options.spec))
    out = options.out.resolve()
    work = out / "work" if options.work is None else options.work.resolve()
    with _torchrun_group(options.device) as device:
        result = run_spec(
            spec, options.data.resolve(), out, work, device=device, threads=options.threads
        )
    if options.json and os.environ.get("RANK", "0") == "0":
        _print_json(result)


def _checked_where_possible(spec: ResolvedSpec) -> ResolvedSpec:
    """Validate a spec, unless only torch and numpy are here: then it must be a resolved one."""
    try:
        from structnets.specs.spec import validate
    except ModuleNotFoundError as error:
        if _is_ours(error):
            raise
        return spec
    return validate(spec)


@contextlib.contextmanager
def _torchrun_group(kind: str | None) -> Iterator[str]:
    """Join the process group that torchrun describes, if any; yield this process' device."""
    import torch
    from torch import distributed

    kind = kind or ("cuda" if torch.cuda.is_available() else "cpu")
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield kind
        return
    device = f"cuda:{os.environ['LOCAL_RANK']}" if kind == "cuda" else kind
    if kind == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if kind == "cuda" else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def _add_validate(commands: Any, common: argparse.ArgumentParser) -> None:
    summary = "check a spec (JSON) or an experiment file (YAML) and name its runs"
    command = commands.add_parser("validate", parents=[common], help=summary, description=summary)
    command.add_argument("file", type=Path, metavar="SPEC_OR_EXPERIMENT")
    command.set_defaults(run=_validate)


def _validate(options: argparse.Namespace) -> None:
    from structnets.identity import run_id

    resolved = _resolved_specs(options.file)
    if not options.json:
        print("\n".join(run_id(spec) for spec in resolved))
    elif options.file.suffix == ".json":
        _print_json(resolved[0])
    else:
        _print_json({run_id(spec): spec for spec in resolved})


def _resolved_specs(file: Path) -> list[ResolvedSpec]:
    """Resolve a spec, or an experiment in each of its presets with seed 0."""
    from structnets.specs.experiment import load_experiment, resolve
    from structnets.specs.spec import validate
    from structnets.specs.validation import load_yaml

    if file.suffix == ".json":
        return [validate(read_json(file))]
    if file.suffix not in (".yaml", ".yml"):
        raise ValueError(f"{file}: a spec ends in .json, an experiment file in .yaml")
    experiment = load_experiment(load_yaml(file), file.name)
    return [resolve(experiment, preset, 0) for preset in experiment.presets]


def _print_json(content: Any) -> None:
    print(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False))


def _print_table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    Console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
