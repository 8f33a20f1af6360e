"""Reading a foreign .onnx file: bounded, checked, its external data confined to its folder, its functions inlined."""

from pathlib import Path

import onnx
import onnx_ir as ir

from exporter.errors import GraphError

_FILE_LIMIT = 2_000_000_000
_NODE_LIMIT = 100_000
_WEIGHTS_LIMIT = 1_900_000_000
_OLDEST, _NEWEST = 11, 23
_DOMAINS = {"", "ai.onnx", "com.microsoft"}
_REMEDY = "Export the model again, or use its safetensors checkpoint."


def read_graph(path: Path) -> ir.Model:
    """The graph of `path` with its weights at hand; raises GraphError for what is damaged, hostile or too new."""
    if path.stat().st_size > _FILE_LIMIT:
        raise GraphError(f"{path.name} is larger than {_FILE_LIMIT:,} bytes", path.name, _REMEDY)
    try:
        proto = onnx.load(str(path), load_external_data=False)
    except Exception as problem:  # protobuf's errors have no common base
        raise GraphError(f"{path.name} is no ONNX file: {problem}", path.name, _REMEDY) from None
    _check(proto, path)
    _check_external(proto, path)
    try:
        model = ir.load(path)
        check_size(model)
        ir.external_data.load_to_model(model)
        return simplified(model, path.name)
    except (
        ValueError,
        TypeError,
        ArithmeticError,
        OSError,
        RuntimeError,
        LookupError,
        AttributeError,
    ) as problem:
        raise GraphError(f"{path.name} is damaged: {problem}", path.name, _REMEDY) from None


def simplified(model: ir.Model, where: str) -> ir.Model:
    """Functions inlined, constants folded, nodes in order; raises GraphError for branches and loops."""
    import onnx_ir.passes.common as passes

    passes.InlinePass()(model)
    passes.LiftConstantsToInitializersPass(lift_all_constants=True)(model)
    passes.RemoveUnusedNodesPass()(model)
    model.graph.sort()
    nested = [node for node in model.graph if any(_is_graph(a) for a in node.attributes.values())]
    if nested:
        raise GraphError(
            f"{nested[0].op_type} has a graph inside", f"node {nested[0].name}", "Loops are not played."
        )
    if not 0 < len(model.graph) <= _NODE_LIMIT:
        what = f"the graph has {len(model.graph)} nodes"
        raise GraphError(what, where, f"At least one and at most {_NODE_LIMIT} are read.")
    return model


def check_size(model: ir.Model) -> None:
    """Raises GraphError for weights that do not fit into one ONNX message, in which graphs are compared."""
    size = sum(value.const_value.nbytes for value in model.graph.initializers.values() if value.const_value)
    if size > _WEIGHTS_LIMIT:
        raise GraphError(
            f"the model has {size:,} bytes of weights",
            "without a builder",
            f"At most {_WEIGHTS_LIMIT:,} can be translated; a builder for its model_type has no such limit.",
        )


def _is_graph(attribute: ir.Attr) -> bool:
    return attribute.type in (ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS)


def _check(proto: onnx.ModelProto, path: Path) -> None:
    local = {function.domain for function in proto.functions}
    for entry in proto.opset_import:
        if entry.domain not in _DOMAINS | local:
            raise GraphError(
                f"operators of the domain {entry.domain}", path.name, "Only standard ones are read."
            )
        if entry.domain in ("", "ai.onnx") and not _OLDEST <= entry.version <= _NEWEST:
            raise GraphError(f"opset {entry.version}", path.name, f"{_OLDEST} to {_NEWEST} are read.")


def _check_external(proto: onnx.ModelProto, path: Path) -> None:
    """Weights outside the file must lie in its folder: no other path, no link out of it."""
    folder = path.parent.resolve()
    inside = [a.t for node in proto.graph.node for a in node.attribute if a.HasField("t")]
    if any(tensor.external_data for tensor in inside):
        raise GraphError(
            "a constant of a node lies outside the file", path.name, "Store it as an initializer."
        )
    for tensor in proto.graph.initializer:
        for entry in tensor.external_data:
            if entry.key != "location":
                continue
            target = (folder / entry.value.replace("\0", "")).resolve()
            if (
                "\0" in entry.value
                or Path(entry.value).is_absolute()
                or not target.is_relative_to(folder)
                or not target.is_file()
            ):
                what = f"weights in {entry.value}, which is no file of the folder"
                raise GraphError(
                    what, f"{path.name}, tensor {tensor.name}", "Put the file beside model.onnx."
                )
