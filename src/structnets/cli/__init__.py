"""The command line: ``structnets COMMAND``, also ``python -m structnets COMMAND``.

To add a command, write one module and one entry in `structnets.cli.commands`, which says what the
module holds. Only the module of the command that is called is imported. Commands are parsed with
argparse, because ``structnets train`` must run where only torch and numpy are installed (under
torchrun: ``torchrun --nproc-per-node 2 -m structnets.cli train …``).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from structnets.cli.commands import COMMANDS
from structnets.cli.overview import answered
from structnets.cli.parsing import call
from structnets.files import final_name, json_text
from structnets.foreign.shown import log_to, printable_lines
from structnets.installation import remedy


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; by default those of the process.

    Returns
    -------
    int
        Exit status: 0 if all is well, 1 if the command compared things and found that they do not
        agree, 2 for an error of the user (one message; a traceback with ``--debug`` only), 130 if
        it was interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller, who wants nothing of it
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
    log_to(sys.stderr, "%(message)s")
    try:
        status = answered(words)
        if status is None:
            status = call(words[0], COMMANDS[words[0]], words[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, say) has seen enough; keep the interpreter from flushing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("structnets: interrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError, ArithmeticError, ModuleNotFoundError) as error:
        if "--debug" in words or _is_ours(error):
            raise
        explanation = _explanation(error)
        print(printable_lines(f"structnets: {explanation}"), file=sys.stderr)
        if "--json" in words:
            # What cannot be written, on a full disk say, was said above.
            with contextlib.suppress(OSError):
                print(json_text({"error": explanation}), end="", flush=True)
        return 2
    return status


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
        return f"{final_name(str(error.filename))}: {error.strerror}"
    return str(error)
