import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from bench.model_folder import ModelFolder
from bench.settings import BenchSettings
from bench.workload_choice import choose
from bench.workloads import prefill_ids, prompt, sentences


@pytest.fixture
def tokenizer_file(tmp_path: Path) -> Path:
    """A token a byte."""
    tokenizer = Tokenizer(BPE({letter: i for i, letter in enumerate(sorted(ByteLevel.alphabet()))}, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


@pytest.mark.parametrize("tokens", [1, 4, 128, 1000])
def test_a_prompt_has_the_tokens_that_were_asked_for(tokenizer_file: Path, tokens: int) -> None:
    found = prompt(tokens, tokenizer_file)
    assert len(found["ids"]) == tokens == len(found["text"])


def test_ids_are_seeded_and_inside_the_vocabulary() -> None:
    assert prefill_ids(64, 100) == prefill_ids(64, 100)
    assert max(prefill_ids(500, 100)) < 100


def test_sentences_are_as_many_as_asked_and_no_two_alike() -> None:
    assert len(set(sentences(64))) == 64


def test_lengths_that_the_context_does_not_hold_are_left_out_and_said(tokenizer_file: Path) -> None:
    manifest = {"task": "text-generation", "context": 256, "vocabulary": 100}
    tokenizer_file.with_name("manifest.json").write_text(json.dumps(manifest))
    settings = BenchSettings(prefill=(32, 512), decode=(0, 250), tokens=32)
    chosen, left_out = choose(ModelFolder.read(tokenizer_file.parent), settings)
    assert [load.name for load in chosen] == ["prefill 32", "first token of 32", "decode at 4"]
    assert [row["name"] for row in left_out] == ["prefill 512", "decode at 250"]
    assert "256" in left_out[0]["reason"]


@pytest.mark.parametrize("context", [2, 16, 36, 37])
def test_what_is_measured_fits_into_a_small_context(tokenizer_file: Path, context: int) -> None:
    manifest = {"task": "text-generation", "context": context, "vocabulary": 100}
    tokenizer_file.with_name("manifest.json").write_text(json.dumps(manifest))
    chosen, _ = choose(ModelFolder.read(tokenizer_file.parent), BenchSettings(prefill=(512,), tokens=32))
    assert [load.name for load in chosen][:1] == [f"first token of {context // 2}"]
    assert all(len(load.args[0]["ids"]) + load.args[1] <= context for load in chosen)
    assert len(chosen) == (2 if context == 37 else 1)
