"""From words to a command: its parser, help with examples, and suggestions for what is mistyped."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from structnets.cli.commands import Command
from structnets.entries import did_you_mean, load_path
from structnets.files import json_text
from structnets.installation import find_checkout


class Parser(argparse.ArgumentParser):
    """A parser that suggests what was meant (argparse does from Python 3.14 on)."""

    words: Sequence[str] = ()  # that are parsed; with --json an error is a document too

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, what was probably meant, and leave with status 2."""
        known = [option for action in self._actions for option in action.option_strings]
        if unknown := re.search(r"unrecognized arguments:.*?(--[\w-]+)", message):
            message += did_you_mean(unknown[1], known)
        elif choice := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message):
            message += did_you_mean(choice[1], re.findall(r"[\w.-]+", choice[2]))
        if "--json" in self.words:
            with contextlib.suppress(OSError):
                print(json_text({"error": message}), end="", flush=True)
        super().error(message)


def existing_folder(folder: Path) -> Path:
    """Return a folder that must be there.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder")
    return folder


def parser_of(name: str, command: Command) -> Parser:
    """Make the parser of a command that is not one of the checkout."""
    module = importlib.import_module(command.module)
    parser = Parser(
        prog=f"structnets {name}",
        description=f"{command.summary[0].upper()}{command.summary[1:]}.",
        epilog=examples(module),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(run=module.run)
    return parser


def examples(module: Any) -> str:
    """Write the examples of a command's module, and its ``NOTES`` if it has any."""
    lines = ["examples:"]
    for call_, what in module.EXAMPLES:
        lines += [f"  # {what}", f"  {call_}"]
    notes = getattr(module, "NOTES", "")
    return "\n".join([*lines, "", notes]).rstrip()


def call(name: str, command: Command, words: Sequence[str]) -> int:
    """Run a command with the words after its name; return its exit status."""
    if command.checkout:
        return _call_of_checkout(name, command, words)
    parser = parser_of(name, command)
    parser.words = words
    options = parser.parse_args(words)
    return options.run(options) or 0


def _call_of_checkout(name: str, command: Command, words: Sequence[str]) -> int:
    sys.path.insert(0, str(find_checkout(f"structnets {name}")))
    import typer

    function = load_path(f"{command.module}:command")
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    # The mark keeps the lines of the examples apart.
    app.command(epilog=f"\b\n{examples(sys.modules[command.module])}")(function)
    app([word for word in words if word != "--debug"], prog_name=f"structnets {name}")
    return 0
