"""manifest.json as values: what FORMAT.md lists, and how it is written."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .compact_json import aligned_json, compact_json

FORMAT = "thistledown"
VERSION = 1
# Values of a canary are whole numbers of so many bits, times a power of two.
CANARY_BITS = 10

Task = Literal[
    "sentence-embedding", "text-generation", "text-classification", "token-classification", "fill-mask"
]
ScoreFunction = Literal["softmax", "sigmoid", "none"]
Order = Literal["any", "system-first", "alternate"]
Role = Literal["onnx", "tokenizer", "original", "generation", "card", "report"]


@dataclass(frozen=True)
class Shard:
    """A file of weights; `chunks` are the SHA-256 of each `chunk_bytes` bytes, the last chunk may be short."""

    file: str
    bytes: int
    sha256: str
    chunk_bytes: int
    chunks: tuple[str, ...]


@dataclass(frozen=True)
class PlanEntry:
    """A plan file with the features, bytes of GPU memory and limits that it needs."""

    file: str
    bytes: int
    sha256: str
    features: tuple[str, ...]
    memory: Mapping[str, int]
    limits: Mapping[str, int]


@dataclass(frozen=True)
class FileEntry:
    """Any other file of the artifact."""

    file: str
    role: Role
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Fold:
    """How a system message becomes a part of what the user says first; `trim` then trims the two together."""

    before: str
    after: str
    trim: bool = False


@dataclass(frozen=True)
class Chat:
    """A chat template as data: `roles` gives, for each role, the texts between which a message's content stands.

    They are the text before and the one after; where a content stands more than once, those between, too.
    `system` is the system message where there is none; the roles in `trim` lose white space around their content,
    those in `omit_empty` leave out a message without content.
    """

    start: str
    roles: Mapping[str, tuple[str, ...]]
    answer: str
    system: str | None
    trim: tuple[str, ...] = ()
    omit_empty: tuple[str, ...] = ()
    fold: Fold | None = None
    order: Order = "any"


@dataclass(frozen=True)
class ChatTemplate:
    """A chat template that is no data: the file that carries it."""

    template: str


@dataclass(frozen=True)
class Generation:
    """How to sample by default; `temperature` 0 is greedy, `top_k` 0 is off."""

    stop_ids: tuple[int, ...]
    bos_id: int | None
    temperature: float
    top_k: int
    top_p: float
    chat: Chat | ChatTemplate | None = None


@dataclass(frozen=True)
class Canary:
    """What the model must answer to `ids`: of each of `rows` some values as (index, whole number).

    The number is the value times 2**(CANARY_BITS - exponent), rounded.
    """

    ids: tuple[int, ...]
    exponent: int
    rows: tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True)
class Manifest:
    """manifest.json; the meaning of each field is in FORMAT.md."""

    name: str
    title: str
    task: Task
    architecture: str
    source: str
    license: str | None
    languages: tuple[str, ...]
    quantization: str
    parameters: int
    context: int
    dimensions: int | None
    vocabulary: int
    generation: Generation | None
    shards: tuple[Shard, ...]
    plans: Mapping[str, PlanEntry]
    files: tuple[FileEntry, ...]
    labels: tuple[str, ...] | None = None
    score_function: ScoreFunction | None = None
    mask_token: str | None = None
    extraction: Mapping[str, tuple[str, ...]] | None = None
    canary: Canary | None = None
    coded: tuple[Shard | None, ...] | None = None

    @property
    def fetched(self) -> tuple[Shard, ...]:
        """The file that a visit fetches for each shard."""
        coded = self.coded or (None,) * len(self.shards)
        return tuple(code or shard for code, shard in zip(coded, self.shards, strict=True))

    def to_json(self) -> bytes:
        """The bytes of manifest.json; the same manifest gives the same bytes."""
        fields: dict[str, Any] = asdict(self)
        canary = fields.pop("canary")
        if self.coded is None:
            del fields["coded"]
        rest = compact_json({"format": FORMAT, "version": VERSION, **fields})
        # Nobody knows it before the weights are read, and a dry run foretells its length all the same.
        return rest if canary is None else rest[:-1] + b',"canary":' + aligned_json(canary) + b"}"
