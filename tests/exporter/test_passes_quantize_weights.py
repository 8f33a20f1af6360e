"""Weights rewritten by recipes: onnxruntime reads every format as the dequantized weight, and each is packed once."""

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest

from exporter.components import GraphBuilder, linear
from exporter.passes import quantize_weights, store_weights, stored_bytes, weight_facts, weights
from exporter.passes.weights import tensor_of
from exporter.quantization import SCHEMES, Recipe, dequantize, quantize

BLOCKED = [name for name, scheme in SCHEMES.items() if scheme.block]
ROWS, WIDTH = 40, 64


class Drawn:
    """Tensors of seeded noise."""

    def __init__(self) -> None:
        self.tensors: dict[str, np.ndarray] = {}

    def require(self, name: str, shape: tuple[int, ...]) -> None:
        draw = np.random.default_rng(len(self.tensors))
        self.tensors[name] = draw.standard_normal(shape, np.float32)

    def read(self, name: str) -> np.ndarray:
        return self.tensors[name]

    def read_rows(self, name: str, start: int, stop: int) -> np.ndarray:
        return self.tensors[name].reshape(-1, self.tensors[name].shape[-1])[start:stop]


def _tied(source: Drawn, inner: int = WIDTH) -> ir.Model:
    """Rows of a table for ids, through a linear, and through the table again."""
    g = GraphBuilder("test", source)
    ids = g.input("input_ids", ir.DataType.INT64, ["batch", "tokens"])
    table = g.weight("table", shape=(ROWS, inner))
    x = g.op("Gather", table, ids, axis=0)
    x = linear(g, x, g.weight("middle", shape=(inner, inner)))
    g.output(linear(g, x, table), "logits", ir.DataType.FLOAT, ["batch", "tokens", ROWS])
    return g.finish()


def _logits(model: ir.Model, ids: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(ir.to_proto(model).SerializeToString())
    return np.asarray(session.run(["logits"], {"input_ids": ids})[0])


@pytest.mark.parametrize("scheme", BLOCKED)
def test_onnxruntime_reads_the_dequantized_weight(scheme: str) -> None:
    source = Drawn()
    model = _tied(source)
    recipes = dict.fromkeys(("table", "middle"), Recipe(scheme))
    assert {choice.scheme for choice in quantize_weights(model, recipes)} == {scheme}
    ids = np.arange(ROWS, dtype=np.int64)[None]
    packed = {name: quantize(SCHEMES[scheme], array, name) for name, array in source.tensors.items()}
    table, middle = (dequantize(packed[name], WIDTH).astype(np.float64) for name in ("table", "middle"))
    expected = table @ middle.T @ table.T
    np.testing.assert_allclose(_logits(model, ids)[0], expected, rtol=0, atol=2e-4 * np.abs(expected).max())


@pytest.mark.parametrize("scheme", BLOCKED)
def test_each_row_is_packed_once_and_a_tied_table_is_stored_once(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []

    def counted(chosen: object, weight: np.ndarray, *rest: object, **options: object) -> object:
        rows.append(len(weight))
        return quantize(chosen, weight, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("exporter.passes.packing.quantize", counted)
    model = _tied(Drawn())
    quantize_weights(model, dict.fromkeys(("table", "middle"), Recipe(scheme)))
    stored: list[int] = []
    store_weights(model, _keep(stored))
    assert sum(rows) == ROWS + WIDTH
    fmt = SCHEMES[scheme]
    sizes = [fmt.weight_bytes, fmt.scale_bytes, *([fmt.zero_bytes] if fmt.zeros else [])]
    assert sum(stored) == stored_bytes(model) == sum(f(n, WIDTH) for n in (ROWS, WIDTH) for f in sizes)


def _keep(stored: list[int]) -> Callable[..., object]:
    def store(size: int, slabs: "list[np.ndarray]") -> object:
        assert sum(slab.nbytes for slab in slabs) == size
        stored.append(size)
        return size

    return store


def test_slabs_of_a_weight_have_the_bytes_of_the_whole() -> None:
    written = []
    for slab_values in (1 << 20, 5 * WIDTH):
        model = _tied(Drawn())
        for value in weights(model):
            tensor_of(value).slab_values = slab_values
        quantize_weights(model, _all("q4", model))
        parts: list[bytes] = []
        store_weights(model, lambda _, slabs, parts=parts: parts.append(b"".join(s.tobytes() for s in slabs)))
        written.append(parts)
    assert written[0] == written[1]


def test_rows_that_no_block_divides_become_float16_where_they_are_gathered() -> None:
    model = _tied(Drawn(), inner=48)
    choices = {choice.name: choice for choice in quantize_weights(model, _all("q4", model))}
    assert (choices["table"].scheme, choices["middle"].scheme) == ("f16", "q4")
    assert "48" in choices["table"].reason


def _all(scheme: str, model: ir.Model) -> dict[str, Recipe]:
    return {fact.name: Recipe(scheme) for fact in weight_facts(model)}
