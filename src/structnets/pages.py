"""HTML pages from templates that escape whatever they are given, and run no script."""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

# Were something let through all the same, a browser would neither run nor fetch it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file: data:"


@cache
def _environment(package: str) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["policy"] = POLICY
    return made


def data_uri(content: bytes, media: str) -> str:
    """Return an address that holds a file itself, for a page that needs no other."""
    return f"data:{media};base64,{base64.b64encode(content).decode('ascii')}"


def page(package: str, name: str, **values: Any) -> str:
    """Fill in a template.

    Parameters
    ----------
    package : str
        Whose folder ``templates`` holds it.
    name : str
        Of the template.
    **values
        What it shows; text is escaped, always.
    """
    return _environment(package).get_template(name).render(**values)
