"""The GGUF that wllama is given holds the artifact's weights, as gguf's own reader understands it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors.numpy import load_file

from bench import gguf_of_artifact
from bench.gguf_of_artifact import token_name, write_gguf
from bench.made_files import GGUF, Made
from bench.model_folder import ModelFolder
from bench.settings import BenchSettings
from tests.dequantized import write_dequantized

Arrays = Mapping[str, np.ndarray]


def read_back(artifact: Path, folder: Path) -> tuple[GGUFReader, dict[str, np.ndarray], dict[str, str]]:
    """The reader, the weights as floats, and what type each is stored in."""
    target = folder / "model.gguf"
    write_gguf(artifact, ModelFolder.read(artifact).manifest, target)
    reader = GGUFReader(target)
    weights = {tensor.name: dequantize(tensor.data, tensor.tensor_type) for tensor in reader.tensors}
    return reader, weights, {tensor.name: tensor.tensor_type.name for tensor in reader.tensors}


def stored_weights(checkpoint: Path, artifact: Path, folder: Path) -> Arrays:
    """The same by the checkpoint's names, by another way of reading."""
    write_dequantized(folder / "floats", checkpoint, artifact)
    return load_file(folder / "floats" / "model.safetensors")


def turned(weight: np.ndarray, heads: int) -> np.ndarray:
    """Values 0, 8, 1, 9, ... of each head of 16."""
    order = np.arange(16).reshape(2, 8).T.ravel()
    return weight.reshape(heads, 16, -1)[:, order].reshape(weight.shape)


@pytest.mark.parametrize(
    ("scheme", "kind", "tolerance"),
    [("q4", "Q4_0", 0), ("q4z", "Q4_1", 4e-3), ("q8", "Q8_0", 0), ("q8z", "F16", 1e-3), ("f16", "F16", 0)],
)
def test_llamas_weights_are_the_artifacts(
    tiny_model: Callable[[str], Path],
    artifact: Callable[..., Path],
    tmp_path: Path,
    scheme: str,
    kind: str,
    tolerance: float,
) -> None:
    checkpoint = tiny_model("llama-gqa-untied")
    folder = artifact(checkpoint, quantize=scheme, context=64)
    _, found, kinds = read_back(folder, tmp_path)
    wanted = stored_weights(checkpoint, folder, tmp_path)
    layer = "model.layers.1"
    pairs = {
        "token_embd.weight": wanted["model.embed_tokens.weight"],
        "output.weight": wanted["lm_head.weight"],
        "blk.1.attn_q.weight": turned(wanted[f"{layer}.self_attn.q_proj.weight"], 4),
        "blk.1.attn_k.weight": turned(wanted[f"{layer}.self_attn.k_proj.weight"], 2),
        "blk.1.attn_v.weight": wanted[f"{layer}.self_attn.v_proj.weight"],
        "blk.1.attn_output.weight": wanted[f"{layer}.self_attn.o_proj.weight"],
        "blk.1.ffn_gate.weight": wanted[f"{layer}.mlp.gate_proj.weight"],
        "blk.1.ffn_up.weight": wanted[f"{layer}.mlp.up_proj.weight"],
        "blk.1.ffn_down.weight": wanted[f"{layer}.mlp.down_proj.weight"],
    }
    for name, weight in pairs.items():
        assert kinds[name] == kind
        np.testing.assert_allclose(found[name], weight, rtol=1e-6, atol=tolerance * abs(weight).max())
    np.testing.assert_array_equal(found["output_norm.weight"], wanted["model.norm.weight"])


@pytest.mark.parametrize("position", [None, "rope"])
def test_granites_weights_and_factors_are_the_artifacts(
    tiny_granite: Callable[..., Path], artifact: Callable[..., Path], tmp_path: Path, position: str | None
) -> None:
    checkpoint = tiny_granite(groups=2, position=position)
    folder = artifact(checkpoint, quantize="q4", context=64)
    reader, found, kinds = read_back(folder, tmp_path)
    wanted = stored_weights(checkpoint, folder, tmp_path)
    mamba, inputs = "model.layers.0.mamba", wanted["model.layers.0.shared_mlp.input_linear.weight"]
    query = wanted["model.layers.1.self_attn.q_proj.weight"]
    pairs = {
        "blk.0.ssm_in.weight": wanted[f"{mamba}.in_proj.weight"],
        "blk.0.ssm_conv1d.weight": wanted[f"{mamba}.conv1d.weight"][:, 0],
        "blk.0.ssm_a": -np.exp(wanted[f"{mamba}.A_log"])[:, None],
        "blk.0.ssm_dt.bias": wanted[f"{mamba}.dt_bias"],
        "blk.0.ssm_norm.weight": wanted[f"{mamba}.norm.weight"].reshape(2, -1),
        "blk.0.ffn_gate.weight": inputs[:96],
        "blk.0.ffn_up.weight": inputs[96:],
        "blk.1.attn_q.weight": turned(query, 4) if position else query,
    }
    for name, weight in pairs.items():
        np.testing.assert_allclose(found[name], weight, rtol=1e-6)
    assert "output.weight" not in found, "a tied head is stored once"
    assert kinds["blk.0.ssm_in.weight"] == "Q4_0"
    values = {key.partition(".")[2]: field.contents() for key, field in reader.fields.items()}
    factors = ("embedding_scale", "residual_scale", "attention.scale", "logit_scale")
    np.testing.assert_allclose([values[key] for key in factors], [1.3, 0.6, 0.15, 0.5], rtol=1e-6)
    assert values["attention.head_count_kv"] == [0, 2, 0, 0]
    assert values["rope.scaling.finetuned"] is (position == "rope")


def test_stretched_frequencies_are_told_one_by_one(
    tiny_model: Callable[[str], Path], artifact: Callable[..., Path], tmp_path: Path
) -> None:
    folder = artifact(tiny_model("llama-tied-llama3"), quantize="f32", context=64)
    reader, found, _ = read_back(folder, tmp_path)
    base = reader.fields["llama.rope.freq_base"].contents()
    frequencies = base ** (-np.arange(8) / 8) / found["rope_freqs.weight"]
    unstretched = 500000.0 ** (-np.arange(8) / 8)
    np.testing.assert_allclose(frequencies[0], unstretched[0], rtol=1e-6)
    np.testing.assert_allclose(frequencies[-1], unstretched[-1] / 8, rtol=1e-5)


def test_tokens_are_their_ids(
    tiny_model: Callable[[str], Path], artifact: Callable[..., Path], tmp_path: Path
) -> None:
    folder = artifact(tiny_model("llama-gqa-untied"), quantize="q4", context=64)
    model = ModelFolder.read(folder)
    job = Made(tmp_path, model).job("wllama", BenchSettings())
    tokens = GGUFReader(tmp_path / GGUF).fields["tokenizer.ggml.tokens"].contents()
    assert tokens == [token_name(token) for token in range(307)]
    assert (tokens[300], job["context"]) == ("0012c", 64)


def test_what_llama_cpp_would_not_compute_is_refused(
    tiny_model: Callable[[str], Path],
    tiny_granite: Callable[..., Path],
    artifact: Callable[..., Path],
    tmp_path: Path,
) -> None:
    cases = {
        "granitemoehybrid, llama, and this is opt": (Path("nowhere"), {"architecture": "opt"}),
        "without a layer of attention": (tiny_granite(layers=("mamba", "mamba")), None),
        "what Gelu computes": (tiny_model("llama-linear"), None),
        "tables are scaled": (tiny_model("llama-mha-yarn"), None),
    }
    for words, (source, manifest) in cases.items():
        folder = source if manifest else artifact(source, quantize="f32", context=64)
        with pytest.raises(ValueError, match=words):
            write_gguf(folder, manifest or ModelFolder.read(folder).manifest, tmp_path / "refused.gguf")


def test_a_file_that_no_browser_can_hold_is_refused(
    tiny_model: Callable[[str], Path],
    artifact: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = artifact(tiny_model("llama-gqa-untied"), quantize="q4", context=64)
    monkeypatch.setattr(gguf_of_artifact, "LARGEST", 10_000)
    with pytest.raises(ValueError, match="a browser cannot hold"):
        write_gguf(folder, ModelFolder.read(folder).manifest, tmp_path / "refused.gguf")
