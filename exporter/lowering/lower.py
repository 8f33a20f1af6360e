"""Graph to plan: one table row an operator, one plan a tier."""

from collections.abc import Callable, Mapping, Sequence

import onnx_ir as ir

from exporter.lowering import activations, elementwise, experts, heads, linears, scan, sequence
from exporter.lowering.plan import Plan
from exporter.lowering.program import Program
from exporter.lowering.stored_weights import WeightStore
from exporter.lowering.walk import Walk
from exporter.placement import Placed
from wgsl_kernels import Tier

HANDLERS: Mapping[str, Callable[[Walk, ir.Node], None]] = {
    "Add": elementwise.lower_add,
    "CausalConvWithState": sequence.lower_causal_conv,
    "FusedMatMul": linears.lower_linear,
    "GatedRMSNorm": elementwise.lower_gated_rms_norm,
    "Gather": linears.lower_gather,
    "GatherBlockQuantized": linears.lower_gather,
    "Gelu": activations.lower_activation,
    "GeluGate": activations.lower_gate,
    "GroupQueryAttention": sequence.lower_group_query_attention,
    "HeadRMSNorm": elementwise.lower_rms_norm,
    "LayerNormalization": elementwise.lower_layer_norm,
    "MatMulNBits": linears.lower_linear,
    "MeanPool": heads.lower_mean_pool,
    "MoE": experts.lower_experts,
    "Mul": elementwise.lower_mul,
    "MultiHeadAttention": sequence.lower_multi_head_attention,
    "QMoE": experts.lower_experts,
    "Relu": activations.lower_activation,
    "RMSNorm": elementwise.lower_rms_norm,
    "Reshape": elementwise.lower_reshape,
    "RotaryTable": sequence.lower_rotary_table,
    "SSMScan": scan.lower_ssm_scan,
    "Sigmoid": activations.lower_activation,
    "Silu": activations.lower_activation,
    "SiluGate": activations.lower_gate,
    "Split": elementwise.lower_split,
    "Tanh": activations.lower_activation,
}

MAX_BINDING = 128 << 20
ENCODE_TOKENS = 512
ENCODE_SEQUENCES = 64
FILL_MASK_ROWS = 16  # each is as wide as the vocabulary
PREFILL_TOKENS = 256
RING = 64
STOPS = 64


def lower(
    model: ir.Model,
    task: str,
    tier: Tier,
    context: int,
    places: Mapping[str, Placed],
    shard_bytes: Sequence[int],
    max_binding: int = MAX_BINDING,
) -> Plan:
    """The plan of `model` for `tier`, for at most `context` tokens.

    `places` says where each weight lies in shards of `shard_bytes`; weights over `max_binding` bytes are split by rows.
    Raises LoweringError naming the node that cannot be lowered.
    """
    store = WeightStore(places, shard_bytes, max_binding)
    if task == "text-generation":
        return _lower_generation(model, tier, context, store)
    return _lower_encoder(model, task, tier, context, store)


def _lower_encoder(model: ir.Model, task: str, tier: Tier, context: int, store: WeightStore) -> Plan:
    sequences = FILL_MASK_ROWS if task == "fill-mask" else ENCODE_SEQUENCES
    symbols = {"tokens": max(ENCODE_TOKENS, context), "sequences": sequences}
    program = Program(tier, task, symbols, store)
    for name in ("ids", "positions", "sequence_of"):
        program.buffer(name, "input", symbols["tokens"] * 4)
    program.buffer("bounds", "input", (symbols["sequences"] + 1) * 4)
    program.begin("encode", "encode", {})
    Walk(model, program, "encode").run(HANDLERS)
    return program.finish()


def _lower_generation(model: ir.Model, tier: Tier, context: int, store: WeightStore) -> Plan:
    symbols = {"tokens": min(PREFILL_TOKENS, context), "past": context}
    program = Program(tier, "text-generation", symbols, store)
    program.buffer("ids", "input", symbols["tokens"] * 4)
    program.begin("prefill", "prefill", {})
    Walk(model, program, "prefill").run(HANDLERS)
    program.begin("decode", "decode", {"tokens": 1})
    Walk(model, program, "decode").run(HANDLERS)
    _lower_sampling(program, int(program.named("logits").bytes) // 4)
    program.keep_states()
    return program.finish()


def _lower_sampling(program: Program, vocabulary: int) -> None:
    program.begin("sample", "sample", {"tokens": 1})
    program.buffer("token", "output", 4)
    program.buffer("ring", "output", RING * 4)
    program.buffer("stops", "input", STOPS * 4)
    io = {name: program.named(name) for name in ("logits", "token", "ids", "ring", "stops")}
    program.dispatch("sample", {k: io[k] for k in ("logits", "token")}, {"vocabulary": vocabulary}, "sample")
    advance = {k: io[k] for k in ("token", "ids", "ring", "stops")}
    program.dispatch("advance", advance, {"ring_length": RING}, "advance")
