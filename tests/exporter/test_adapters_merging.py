"""`thistledown merge-lora`: equal to peft's own merge, and refusals that name what does not fit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from exporter.__main__ import main
from exporter.adapters import merge_lora
from exporter.checkpoints import Origin, open_checkpoint
from exporter.errors import LoraError, ThistledownError
from tests.tiny_adapters import (
    GRANITE_TARGETS,
    LLAMA_TARGETS,
    changed_adapter,
    merged_by_peft,
    write_adapter,
)

LLAMA = "llama-gqa-untied"
Q_PROJ = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory, tiny_model: Callable[[str], Path]) -> tuple[Path, Path]:
    """A checkpoint and an adapter for it."""
    folder = tmp_path_factory.mktemp("adapters") / "poet"
    return tiny_model(LLAMA), write_adapter(folder, tiny_model(LLAMA), LLAMA_TARGETS)


def assert_merged_as_peft_merges(base: Path, adapter: Path, folder: Path) -> None:
    ours, theirs = folder / "ours", folder / "theirs"
    merge_lora(str(base), adapter, ours)
    merged_by_peft(base, adapter, theirs)
    before, found, wanted = (load_file(at / "model.safetensors") for at in (base, ours, theirs))
    assert found.keys() == before.keys()
    changed = 0
    for name, array in found.items():
        np.testing.assert_allclose(array, wanted[name], rtol=0, atol=2e-6, err_msg=name)
        changed += not np.array_equal(array, before[name])
    adapted = load_file(adapter / "adapter_model.safetensors")
    assert changed == sum("lora_A" in name for name in adapted)


@pytest.mark.parametrize(
    "config",
    [
        {"r": 3, "lora_alpha": 8},
        {"use_rslora": True, "rank_pattern": {"o_proj": 7}, "alpha_pattern": {r"layers.0.mamba.in_proj": 3}},
    ],
    ids=["usual", "patterns"],
)
def test_a_hybrid_is_merged_as_peft_merges_it(
    tmp_path: Path, tiny_granite: Callable[..., Path], config: dict[str, object]
) -> None:
    base = tiny_granite()
    adapter = write_adapter(tmp_path / "adapter", base, GRANITE_TARGETS, **config)
    assert_merged_as_peft_merges(base, adapter, tmp_path)


def test_a_llama_is_merged_as_peft_merges_it(tmp_path: Path, llama: tuple[Path, Path]) -> None:
    assert_merged_as_peft_merges(*llama, tmp_path)


def test_the_result_is_a_checkpoint_that_exports(tmp_path: Path, llama: tuple[Path, Path]) -> None:
    from exporter.export_options import ExportOptions
    from exporter.pipeline import export
    from exporter.progress import Progress

    merge_lora(str(llama[0]), llama[1], tmp_path / "merged")
    export(ExportOptions(str(tmp_path / "merged"), tmp_path / "artifact"), Progress(quiet=True))
    assert (tmp_path / "merged" / "tokenizer.json").is_file()


def test_what_the_base_was_cut_from_is_carried_on(tmp_path: Path, llama: tuple[Path, Path]) -> None:
    base, origin = Path(shutil.copytree(llama[0], tmp_path / "base")), Origin("whole", 4000, 1000)
    origin.write(base)
    merge_lora(str(base), llama[1], tmp_path / "merged")
    assert open_checkpoint(str(tmp_path / "merged")).origin == origin


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_sums_are_rounded_to_the_type_of_the_weight(
    tmp_path: Path, llama: tuple[Path, Path], dtype: str
) -> None:
    """Against torch, which adds in float32 and rounds to the nearest; other tensors keep their bytes."""
    import torch
    from safetensors.torch import load_file as load_torch
    from safetensors.torch import save_file as save_torch

    base, kind = tmp_path / "base", getattr(torch, dtype)
    base.mkdir()
    stored = load_torch(llama[0] / "model.safetensors")
    save_torch({name: tensor.to(kind) for name, tensor in stored.items()}, base / "model.safetensors")
    (base / "config.json").write_bytes((llama[0] / "config.json").read_bytes())
    merge_lora(str(base), llama[1], tmp_path / "merged")
    found, adapter = (
        load_torch(at)
        for at in (tmp_path / "merged" / "model.safetensors", llama[1] / "adapter_model.safetensors")
    )
    name = "model.layers.1.mlp.down_proj"
    down, up = (adapter[f"base_model.model.{name}.lora_{part}.weight"] for part in "AB")
    wanted = (stored[f"{name}.weight"].to(kind).float() + (up * 1.5) @ down).to(kind)
    off = found[f"{name}.weight"] != wanted
    assert off.float().mean() < 1e-3, "only sums on the edge between two values may differ"
    assert torch.allclose(found[f"{name}.weight"].float(), wanted.float(), rtol=2**-7)
    assert torch.equal(found["model.norm.weight"], stored["model.norm.weight"].to(kind))


def test_checkpoints_in_several_files_stay_so(tmp_path: Path, llama: tuple[Path, Path]) -> None:
    base = tmp_path / "base"
    base.mkdir()
    stored = load_file(llama[0] / "model.safetensors")
    names = sorted(stored)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, some in parts.items():
        save_file({name: stored[name] for name in some}, base / file)
    index = {"weight_map": {name: file for file, some in parts.items() for name in some}}
    (base / "model.safetensors.index.json").write_text(json.dumps(index))
    (base / "config.json").write_bytes((llama[0] / "config.json").read_bytes())
    merge_lora(str(llama[0]), llama[1], tmp_path / "whole")
    merge_lora(str(base), llama[1], tmp_path / "parts")
    wanted = load_file(tmp_path / "whole" / "model.safetensors")
    for file, some in parts.items():
        found = load_file(tmp_path / "parts" / file)
        assert sorted(found) == some
        assert all(np.array_equal(found[name], wanted[name]) for name in some)


def test_the_command_says_what_it_made(
    tmp_path: Path, llama: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["merge-lora", str(llama[0]), str(llama[1]), "-o", str(tmp_path / "merged"), "--json"]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["adapter"], told["changed"]) == ("poet", 2 * len(LLAMA_TARGETS))
    assert main(command) == 2, "what is there is not written over"


def test_a_base_of_another_name_is_merged_with_a_note(
    tmp_path: Path, llama: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    other = changed_adapter(llama[1], tmp_path / "poet", {"base_model_name_or_path": "acme/other"})
    assert main(["merge-lora", str(llama[0]), str(other), "-o", str(tmp_path / "merged"), "--json"]) == 0
    told = capsys.readouterr()
    note = json.loads(told.out)["note"]
    assert note.startswith(f'poet was trained on "acme/other", and this base is "{llama[0].name}"')
    assert told.err == f"note: {note}\n"


@pytest.mark.parametrize("stated", ["acme/{}", "/data/{}/", None, 7])
def test_a_base_of_the_same_name_or_none_is_not_noted(
    tmp_path: Path, llama: tuple[Path, Path], stated: object
) -> None:
    name = stated.format(llama[0].name) if isinstance(stated, str) else stated
    adapter = changed_adapter(llama[1], tmp_path / "poet", {"base_model_name_or_path": name})
    assert merge_lora(str(llama[0]), adapter, tmp_path / "merged").note == ""


def test_a_head_that_is_the_embedding_is_refused_until_the_base_has_its_own(
    tmp_path: Path, tiny_model: Callable[[str], Path]
) -> None:
    tied = tiny_model("qwen2-tied")
    adapter = write_adapter(tmp_path / "adapter", tied, ["lm_head", "q_proj"])
    with pytest.raises(LoraError, match=r'head "lm_head".* no weight of its own.*tie_word_embeddings'):
        merge_lora(str(tied), adapter, tmp_path / "merged")
    own = Path(shutil.copytree(tied, tmp_path / "own"))
    stored = load_file(tied / "model.safetensors")
    save_file(stored | {"lm_head.weight": stored["model.embed_tokens.weight"]}, own / "model.safetensors")
    merge_lora(str(own), adapter, tmp_path / "merged")
    merged = load_file(tmp_path / "merged" / "model.safetensors")
    assert np.array_equal(merged["model.embed_tokens.weight"], stored["model.embed_tokens.weight"])
    assert not np.array_equal(merged["lm_head.weight"], stored["model.embed_tokens.weight"])


def test_the_terms_of_the_base_go_with_it_and_its_code_does_not(
    tmp_path: Path, llama: tuple[Path, Path]
) -> None:
    base = Path(shutil.copytree(llama[0], tmp_path / "base"))
    terms, code = {"LICENSE", "NOTICE", "README.md"}, {"modeling.py", "training_args.bin"}
    for name in terms | code:
        (base / name).write_text(name)
    merge_lora(str(base), llama[1], tmp_path / "merged")
    assert {path.name for path in (tmp_path / "merged").iterdir()} & (terms | code) == terms


REFUSED = {
    "dora": ({"use_dora": True}, {}, "use_dora"),
    "bias": ({"bias": "all"}, {}, "bias"),
    "modules to save": ({"modules_to_save": ["lm_head"]}, {}, "modules_to_save"),
    "fan in fan out": ({"fan_in_fan_out": True}, {}, "fan_in_fan_out"),
    "another method": ({"peft_type": "IA3"}, {}, "peft_type"),
    "pissa": ({"init_lora_weights": "pissa_niter_4"}, {}, "init_lora_weights"),
    "a rank of none": ({"r": 0}, {}, "r is 0"),
    "a rank of words": ({"r": "4"}, {}, "r is '4'"),
    "another rank": ({"r": 5}, {}, "rank 5"),
    "an endless alpha": ({"lora_alpha": 1e300}, {}, "lora_alpha"),
    "a pattern without end": ({"alpha_pattern": {"(a+)+b": 1}}, {}, "alpha_pattern"),
    "no list of targets but parameters": ({"target_parameters": ["experts"]}, {}, "target_parameters"),
    "an embedding": (
        {},
        {"base_model.model.model.embed_tokens.lora_embedding_A": np.ones((4, 9))},
        "embedding",
    ),
    "an A alone": ({}, {Q_PROJ.format("B"): None}, "lora_B.weight"),
    "a B alone": ({}, {Q_PROJ.format("A"): None}, "lora_B.weight"),
    "a module of another base": (
        {},
        {f"base_model.model.model.layers.9.q.lora_{part}.weight": np.ones((4, 4)) for part in "AB"},
        "model.layers.9.q",
    ),
    "one weight twice": (
        {},
        {
            "base_model.model.layers.0.self_attn.q_proj.lora_A.weight": np.ones((4, 64)),
            "base_model.model.layers.0.self_attn.q_proj.lora_B.weight": np.ones((64, 4)),
        },
        "twice",
    ),
    "another width": ({}, {Q_PROJ.format("A"): np.ones((4, 65))}, "model.layers.0.self_attn.q_proj"),
    "another height": ({}, {Q_PROJ.format("B"): np.ones((63, 4))}, "model.layers.0.self_attn.q_proj"),
    "a name that takes patterns for ever": (
        {"rank_pattern": {".*.*[xy]": 4}},
        {f"base_model.model.{'.' * 300}.lora_{part}.weight": np.ones((4, 4)) for part in "AB"},
        "is over 256",
    ),
    "no number": ({}, {Q_PROJ.format("A"): np.full((4, 64), np.nan)}, "NaN"),
    "a whole tensor": ({}, {"base_model.model.lm_head.weight": np.ones((4, 4))}, "lm_head.weight"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_by_name(tmp_path: Path, llama: tuple[Path, Path], case: str) -> None:
    config, tensors, words = REFUSED[case]
    stored = {name: None if array is None else array.astype(np.float32) for name, array in tensors.items()}
    adapter = changed_adapter(llama[1], tmp_path / "adapter", config, stored)
    with pytest.raises(ThistledownError, match=words.replace(".", r"\.")) as refused:
        merge_lora(str(llama[0]), adapter, tmp_path / "merged")
    assert refused.value.remedy
    assert not (tmp_path / "merged").exists()


def test_a_folder_without_an_adapter_is_refused(tmp_path: Path, llama: tuple[Path, Path]) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(LoraError):
            merge_lora(str(llama[0]), folder, tmp_path / "merged")


def test_names_of_a_model_without_its_head_are_found(tmp_path: Path, llama: tuple[Path, Path]) -> None:
    base = tmp_path / "base"
    base.mkdir()
    stored = load_file(llama[0] / "model.safetensors")
    save_file({name.removeprefix("model."): a for name, a in stored.items()}, base / "model.safetensors")
    (base / "config.json").write_bytes((llama[0] / "config.json").read_bytes())
    assert merge_lora(str(base), llama[1], tmp_path / "merged").changed == 2 * len(LLAMA_TARGETS)
