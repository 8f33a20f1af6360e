"""Models without a builder: traced by transformers, or somebody else's .onnx file; and files that must be refused."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper

from exporter.errors import GraphError
from exporter.export_options import ExportOptions
from exporter.foreign import read_graph, trace, translate
from exporter.parity.onnx_runner import OnnxDecoder
from exporter.parity.plan_player import PlanPlayer
from exporter.parity.torch_reference import TorchDecoder
from exporter.pipeline import export
from exporter.progress import Progress
from tests.tiny_granite import write_tokenizer
from tests.tiny_models import random_ids

LIMIT = 1e-3
VOCABULARY = 307
SMALL = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
}


def _checkpoint(folder: Path, model_type: str, cls: str, config: dict[str, object]) -> Path:
    import torch
    import transformers

    torch.manual_seed(20261124)
    ends = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1}
    sizes = {"vocab_size": VOCABULARY, "initializer_range": 0.2, **ends, **config}
    made = getattr(transformers, cls).from_config(transformers.AutoConfig.for_model(model_type, **sizes))
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    made.save_pretrained(folder)
    write_tokenizer(folder, VOCABULARY)
    return folder


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 128}
    return _checkpoint(tmp_path_factory.mktemp("tiny-gpt2"), "gpt2", "AutoModelForCausalLM", sizes)


@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore")  # torch's exporter warns of its own insides
def test_an_architecture_without_a_builder_is_traced_and_equal(
    gpt2: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = export(ExportOptions(str(gpt2), tmp_path / "made", quantize="f32"), Progress())
    said = capsys.readouterr()
    assert "no builder for gpt2" in said.out + said.err
    assert "torch.onnx" not in said.out
    assert set(made.manifest.plans) == {"base", "subgroups"}, (
        "whether its activations fit float16 is not known"
    )
    reference, player, decoder = TorchDecoder(gpt2), PlanPlayer(made.folder), OnnxDecoder(made.folder)
    for length in (1, 7, 40):
        ids = random_ids(length, VOCABULARY)
        expected = reference.logits(ids)
        assert np.abs(decoder.logits(ids) - expected).max() < LIMIT
        assert np.abs(player.logits(ids) - expected[-1]).max() < LIMIT
        assert np.abs(player.logits(ids, [1] * length) - expected[-1]).max() < LIMIT
    ids = random_ids(9, VOCABULARY)
    assert player.generate(ids, 32) == decoder.generate(ids, 32) == reference.generate(ids, 32)


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with config.json, tokenizer.json and model.onnx, whose weights lie in a file of their own."""
    folder = _checkpoint(
        tmp_path_factory.mktemp("tiny-roberta"),
        "roberta",
        "AutoModelForSequenceClassification",
        {**SMALL, "max_position_embeddings": 130},
    )
    model, task = trace(folder, {"model_type": "roberta"}, "text-classification")
    assert task == "text-classification"
    ir.save(model, folder / "model.onnx", external_data="model.onnx.data")
    (folder / "model.safetensors").unlink()
    return folder


@pytest.mark.filterwarnings("ignore")
def test_an_onnx_file_is_exported_and_keeps_its_positions(roberta: Path, tmp_path: Path) -> None:
    made = export(
        ExportOptions(str(roberta / "model.onnx"), tmp_path / "made", quantize="q8"), Progress(quiet=True)
    )
    assert made.manifest.task == "text-classification"
    assert made.manifest.labels == ("LABEL_0", "LABEL_1")
    assert made.manifest.context == 128, "two of the 130 rows are for padding"


@pytest.mark.filterwarnings("ignore")
def test_a_graph_that_computes_something_else_is_refused(roberta: Path) -> None:
    """A mask that is not ours, seen by the proof alone."""
    model = read_graph(roberta / "model.onnx")
    for node in model.graph:
        if node.op_type == "MultiHeadAttention":
            node.replace_input_with(5, None)
    with pytest.raises(GraphError, match="differs by"):
        translate(model, {}, None, None)


def _graph(*nodes: onnx.NodeProto, initializers: tuple[onnx.TensorProto, ...] = ()) -> onnx.ModelProto:
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
    out = helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "hostile", [ids], [out], list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def _table() -> onnx.TensorProto:
    return onnx.numpy_helper.from_array(np.eye(200, 32, dtype=np.float32), "table")


GATHER = helper.make_node("Gather", ["table", "input_ids"], ["rows"], name="look up")


def test_an_operator_that_is_not_understood_is_named_with_its_node(tmp_path: Path) -> None:
    odd = helper.make_node("Det", ["rows"], ["logits"], name="oddity")
    onnx.save(_graph(GATHER, odd, initializers=(_table(),)), tmp_path / "model.onnx")
    with pytest.raises(GraphError, match=r"onnxruntime refuses|Det.*oddity"):
        translate(read_graph(tmp_path / "model.onnx"), {}, None, None)


def test_an_elementwise_function_without_a_kernel_is_refused(tmp_path: Path) -> None:
    nodes = (
        GATHER,
        helper.make_node("Softsign", ["rows"], ["soft"], name="soft"),
        helper.make_node("Identity", ["soft"], ["logits"], name="end"),
    )
    onnx.save(_graph(*nodes, initializers=(_table(),)), tmp_path / "model.onnx")
    with pytest.raises(GraphError, match=r"Softsign.*soft.*Understood are"):
        translate(read_graph(tmp_path / "model.onnx"), {}, None, None)


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname", "link.bin", "absent.bin"])
def test_weights_outside_the_folder_are_refused(tmp_path: Path, location: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(200 * 32 * 4))
    (home / "link.bin").symlink_to(tmp_path / "secret.bin")
    table = TensorProto(name="table", data_type=TensorProto.FLOAT, dims=[200, 32])
    table.data_location = TensorProto.EXTERNAL
    table.external_data.add(key="location", value=location)
    end = helper.make_node("Identity", ["rows"], ["logits"])
    (home / "model.onnx").write_bytes(_graph(GATHER, end, initializers=(table,)).SerializeToString())
    with pytest.raises(GraphError, match="no file of the folder"):
        read_graph(home / "model.onnx")


@pytest.mark.parametrize("data", [b"", b"not onnx at all", bytes(1000)])
def test_junk_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(data)
    with pytest.raises(GraphError):
        read_graph(tmp_path / "model.onnx")


def test_a_loop_is_refused(tmp_path: Path) -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", ["rows"], ["inner"])],
        "then",
        [],
        [helper.make_empty_tensor_value_info("inner")],
    )
    test = onnx.numpy_helper.from_array(np.array(True), "test")
    branch = helper.make_node("If", ["test"], ["logits"], name="branch", then_branch=body, else_branch=body)
    onnx.save(_graph(GATHER, branch, initializers=(_table(), test)), tmp_path / "model.onnx")
    with pytest.raises(GraphError, match="branch"):
        read_graph(tmp_path / "model.onnx")


def test_a_file_without_its_config_is_refused_with_the_remedy(
    tmp_path: Path, artifact: Callable[..., Path], minilm_checkpoint: Path
) -> None:
    shutil.copy(artifact("minilm", quantize="q8", context=512) / "model.onnx", tmp_path / "model.onnx")
    with pytest.raises(Exception, match=r"config\.json"):
        export(ExportOptions(str(tmp_path / "model.onnx"), tmp_path / "made"), Progress(quiet=True))
