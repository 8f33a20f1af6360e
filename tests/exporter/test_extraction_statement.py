"""What an extraction model says of its fields goes from its config.json to the catalogue of the server."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exporter.checkpoints.extraction import MOST_KINDS, stated_kinds
from exporter.errors import ConfigError
from exporter.reduction.extraction.model import model_config
from exporter.reduction.extraction.schema import KINDS
from tests.webapp.served import running
from webapp import Settings

FIELDS = {"order": ["product", "size"], "contact": ["person"]}


def test_what_the_checkpoint_states_is_in_the_catalogue(
    tiny_granite: Callable[..., Path], artifact: Callable[..., Path], tmp_path: Path
) -> None:
    source = tmp_path / "finder"
    shutil.copytree(tiny_granite(), source)
    config = json.loads((source / "config.json").read_bytes())
    (source / "config.json").write_text(json.dumps(config | {"extraction": FIELDS}))
    folder = artifact(source)
    assert json.loads((folder / "manifest.json").read_bytes())["extraction"] == FIELDS
    with running(Settings(folders=(folder,))) as client:
        facts = client.get("/models/catalogue.json").json()["models"][0]["manifest"]
    assert list(facts["extraction"].items()) == list(FIELDS.items())


def test_the_model_that_we_train_states_its_fields() -> None:
    stated = stated_kinds(model_config(100, 0).to_dict())
    assert stated == KINDS


def test_other_checkpoints_state_none() -> None:
    assert stated_kinds({}) is None


@pytest.mark.parametrize(
    "stated",
    [
        7,
        {},
        {f"k{i}": ["a"] for i in range(MOST_KINDS + 1)},
        {"contact": []},
        {"contact": "person"},
        {"contact": ["person", "person"]},
        {"contact": [["person"]]},
        {"contact": ["Person"]},
        {"<img>": ["person"]},
    ],
)
def test_anything_else_is_refused(stated: Any) -> None:
    with pytest.raises(ConfigError, match="extraction"):
        stated_kinds({"extraction": stated})
