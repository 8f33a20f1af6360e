"""Which scheme each weight gets and by which method it is rounded: one for all, or a named mixture."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Literal

from .schemes import find_scheme

Role = Literal[
    "embedding",
    "head",
    "tied",
    "position",
    "attention_in",
    "attention_out",
    "mlp_in",
    "mlp_out",
    "ssm_in",
    "ssm_out",
    "ssm_dt",
    "router",
    "experts_in",
    "experts_out",
    "linear",
]


@dataclass(frozen=True)
class TensorFacts:
    """A weight that can be quantized: `rows` x `inner`, the rows of all experts counted, and what it is for."""

    name: str
    role: Role
    rows: int
    inner: int


@dataclass(frozen=True)
class Recipe:
    """What a weight becomes, how it is rounded, and why when it is not what was asked for."""

    scheme: str
    method: str = "search"
    reason: str = ""


MIXTURES = ("q4-mixed", "hybrid")
# A table is small beside the rest if it holds no more than this share of the weights.
_SMALL_TABLE = 0.25


def mixture(name: str, tensors: Sequence[TensorFacts]) -> dict[str, Recipe]:
    """The recipe of each of `tensors` in the mixture `name`; raises SchemeError for an unknown name.

    "q4-mixed" is q4 with 8 bits where rounding is known to hurt most: small tables, and in the first and last layer
    the values of attention and the end of the MLP. "hybrid" gives 8 bits to the projections of state space layers,
    too, whose errors the recurrence adds up, and keeps routers in float16.
    """
    if name not in MIXTURES:
        scheme = find_scheme(name, MIXTURES).name
        return {tensor.name: _plain(scheme, tensor) for tensor in tensors}
    small, ends = _small_tables(tensors), _ends(tensors)
    return {tensor.name: _mixed(name, tensor, small, ends) for tensor in tensors}


def _plain(scheme: str, tensor: TensorFacts) -> Recipe:
    if tensor.role == "position" and scheme not in ("f32", "f16"):
        return Recipe("f16", reason="it is small and added to every token")
    return Recipe(scheme)


def _mixed(name: str, tensor: TensorFacts, small: Set[str], ends: Set[str]) -> Recipe:
    if tensor.name in small:
        return Recipe("q8", reason="the table is small beside the rest")
    if tensor.name in ends:
        return Recipe("q8", reason="the first and last layer suffer most from rounding")
    if name == "hybrid" and tensor.role in ("ssm_in", "ssm_out", "ssm_dt"):
        return Recipe("q8", reason="a recurrence adds up its errors")
    if name == "hybrid" and tensor.role == "router":
        return Recipe("f16", reason="it is small and chooses the experts")
    return _plain("q4", tensor)


def _small_tables(tensors: Sequence[TensorFacts]) -> Set[str]:
    total = sum(tensor.rows * tensor.inner for tensor in tensors)
    tables = [tensor for tensor in tensors if tensor.role in ("embedding", "head", "tied")]
    return {table.name for table in tables if table.rows * table.inner <= _SMALL_TABLE * total}


def _ends(tensors: Sequence[TensorFacts]) -> Set[str]:
    found: set[str] = set()
    for role in ("attention_in", "mlp_out"):
        names = [tensor.name for tensor in tensors if tensor.role == role]
        found |= {*names[:1], *names[-1:]}
    return found
