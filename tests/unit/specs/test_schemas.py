"""The committed JSON schemas are those of the models."""

import json
import re

import pytest

from structnets.entries import load_path
from structnets.figures.entries import FIGURES
from structnets.specs.schemas import MODELS, schema_text, write_schemas
from structnets.specs.validation import load_yaml
from tests.made_results import WORKFLOW


@pytest.mark.parametrize("name", MODELS)
def test_committed_schema_is_that_of_the_model(name):
    committed = (WORKFLOW / "schemas" / f"{name}.json").read_text()
    assert committed == schema_text(name), "run `python -m structnets.specs.schemas`"


def test_no_other_schema_lies_there(tmp_path):
    written = {path.name for path in write_schemas(tmp_path)}
    assert written == {path.name for path in (WORKFLOW / "schemas").iterdir()}


def test_every_written_file_names_its_schema():
    files = [path for path in WORKFLOW.rglob("*.yaml") if ".snakemake" not in path.parts]
    assert files
    for file in files:
        assert isinstance(load_yaml(file), dict)
        first = file.read_text().splitlines()[0]
        _, _, schema = first.partition("$schema=")
        assert (file.parent / schema).resolve().is_file(), first


# A whole sentence has a verb outside its subordinate clauses: "Images that are shown." has none.
VERB = re.compile(
    r"\b(is|are|was|were|has|have|can|may|belongs?|decays?|drops?|falls?|follows?|holds?|lies?"
    r"|multiplies|names?|needs?|says?|sets|shows?|spreads?|stays|takes?|tells?)\b"
)
SUBORDINATE = re.compile(r"\b([Tt]hat|[Ww]hich|[Ww]hose?|[Ww]hat|[Ww]here|[Hh]ow)\b|^As\b")
FIGURES_OF_NETS = [name for name in FIGURES.names() if not FIGURES.find(name).drawn]


def is_sentence(text):
    first = re.split(r"[.;:](?:\s|$)", text)[0]
    verbs, clauses = len(VERB.findall(first)), len(SUBORDINATE.findall(first))
    return text[:1].isupper() and text.endswith(".") and verbs > clauses


def field_texts(schema):
    """Every field's text of a schema, by its place; a constant, the name of a kind, needs none."""
    models = {"": schema, **schema.get("$defs", {})}
    return {
        f"{model}.{field}": described.get("description", "")
        for model, content in models.items()
        for field, described in content.get("properties", {}).items()
        if "description" in described or "const" not in described
    }


def halves(schema):
    """Keep the texts that are half sentences."""
    return {place: text for place, text in field_texts(schema).items() if not is_sentence(text)}


@pytest.mark.parametrize("name", MODELS)
def test_texts_of_fields_are_whole_sentences(name):
    schema = json.loads(schema_text(name))
    assert len(field_texts(schema)) >= 6
    assert halves(schema) == {}


@pytest.mark.parametrize("name", FIGURES_OF_NETS)
def test_texts_of_the_options_of_figures_are_whole_sentences(name):
    options = load_path(str(FIGURES.find(name).options))
    assert halves(options.model_json_schema()) == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "As shown.",
        "Of the run.",
        "Images that are translated.",
        "What is shown.",
        "no capital is.",
    ],
)
def test_half_sentences_are_found(text):
    assert not is_sentence(text)
