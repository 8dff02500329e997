"""The committed JSON schemas are those of the models."""

import re

import pytest

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


# A whole sentence has a verb; these are the ones that texts of fields need.
VERB = re.compile(r"\b(is|are|has|have|follows?|takes?|decays?|drops?|hold|names|says|lies)\b")


def field_texts(schema):
    """Every field's text of a schema, by its place."""
    models = {"": schema, **schema.get("$defs", {})}
    return {
        f"{model}.{field}": described["description"]
        for model, content in models.items()
        for field, described in content.get("properties", {}).items()
        if "description" in described
    }


@pytest.mark.parametrize("name", ["spec"])
def test_texts_of_fields_are_whole_sentences(name):
    texts = field_texts(MODELS[name].model_json_schema())
    assert len(texts) > 40
    halves = {
        place: text
        for place, text in texts.items()
        if not (text[0].isupper() and text.endswith(".") and VERB.search(text))
    }
    assert halves == {}
