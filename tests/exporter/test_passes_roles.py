"""What each weight is for, told from the graph alone: a mixture of schemes rests on it."""

import re
from collections.abc import Mapping

import pytest

from exporter.checkpoints import open_checkpoint
from exporter.models import architecture
from exporter.passes import weight_facts
from exporter.quantization import TensorFacts
from tests.published import FOLDER

GRANITE = {
    r"embed_tokens": "tied",
    r"mamba\.in_proj": "ssm_in",
    r"mamba\.out_proj": "ssm_out",
    r"q_proj.*\+.*k_proj.*\+.*v_proj": "attention_in",
    r"o_proj": "attention_out",
    r"shared_mlp\.input_linear": "mlp_in",
    r"shared_mlp\.output_linear": "mlp_out",
}
MINILM = {
    r"word_embeddings": "embedding",
    r"position_embeddings": "position",
    r"self\.query.*\+.*self\.value": "attention_in",
    r"attention\.output\.dense": "attention_out",
    r"intermediate\.dense": "mlp_in",
    r"\d\.output\.dense": "mlp_out",
}
ROLES: Mapping[str, Mapping[str, str]] = {
    str(FOLDER / "granite-4.0-h-350m"): GRANITE,
    "minilm": MINILM,
}


def _facts(source: str) -> list[TensorFacts]:
    checkpoint = open_checkpoint(source, values=False)
    return weight_facts(architecture(checkpoint.config).build(checkpoint.config, checkpoint, None).model)


@pytest.mark.parametrize("source", ROLES)
def test_every_weight_has_the_role_that_its_name_says(source: str) -> None:
    patterns = ROLES[source]
    found = {
        fact.name: next(role for pattern, role in patterns.items() if re.search(pattern, fact.name))
        for fact in _facts(source)
    }
    assert {fact.name: fact.role for fact in _facts(source)} == found
    assert set(found.values()) == set(patterns.values())


def test_facts_count_rows_and_values_of_a_row() -> None:
    facts = {fact.name: fact for fact in _facts(str(FOLDER / "granite-4.0-h-350m"))}
    table = facts["model.embed_tokens.weight"]
    assert (table.rows, table.inner) == (100352, 768)
