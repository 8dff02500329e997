"""The documentation site: ``make docs`` builds it from these pages and the docstrings, offline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

from structnets import __version__

ROOT = Path(__file__).resolve().parents[1]

project = "structnets"
author = "The structnets developers"
project_copyright = f"2025-2026, {author}"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
toc_object_entries_show_parents = "hide"
html_theme = "furo"
html_title = "structnets"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
# Formulas are MathML, which browsers set themselves: no script is fetched from elsewhere.
html_math_renderer = "mathml"
html_theme_options = {"source_view_link": "", "navigation_with_keys": True}
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
# A name in a docstring that several classes have is shown without a link.
suppress_warnings = ["ref.python"]
# Docstrings write `name` for anything that has one; those of this library become links.
default_role = "py:obj"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autoclass_content = "class"
napoleon_google_docstring = False
napoleon_custom_sections = ["Limits"]
napoleon_use_rtype = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True

_PAGES = {"RESULTS": "results", "CONTRIBUTING": "contributing", "CHANGELOG": "changelog"}
_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)")


def _within_site(text: str, folder: Path) -> str:
    """Point links to files of the repository at their pages; leave the words of those without."""

    def pointed(link: re.Match[str]) -> str:
        words, target = link.groups()
        path, _, place = target.partition("#")
        file = (folder / path).resolve()
        anchor = f"#{place}" if place else ""
        if file.parent == ROOT and file.stem in _PAGES:
            return f"[{words}](/{_PAGES[file.stem]}.md{anchor})"
        if file.is_relative_to(ROOT / "docs") and file.is_file():
            return f"[{words}](/{file.relative_to(ROOT / 'docs')}{anchor})"
        if file.is_relative_to(ROOT / "docs"):
            return link[0]  # a page that is missing is for Sphinx to report
        return words

    return _LINK.sub(pointed, text)


def _read_page(app: Any, name: str, content: list[str]) -> None:
    content[0] = _within_site(content[0], (ROOT / "docs" / name).parent)


def _read_included(app: Any, path: Path, name: str, content: list[str]) -> None:
    content[0] = _within_site(content[0], ROOT / Path(path).parent)


def _formula(writer: Any, node: nodes.Element) -> None:
    writer.body.append(tex2mathml(node.astext(), as_block=isinstance(node, nodes.math_block)))
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """Let Sphinx call the functions above."""
    app.connect("source-read", _read_page)
    app.connect("include-read", _read_included)
    app.add_html_math_renderer("mathml", (_formula, None), (_formula, None))
