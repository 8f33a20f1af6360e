"""How names, times and shares are written in every form of the report."""

from collections.abc import Sequence

from exporter.errors import printable
from exporter.report.attribution import Piece
from exporter.report.difference import Difference
from exporter.report.measure import ReportFile
from exporter.report.situations import Situation
from exporter.report.weights import Weight

_MINUTE, _HOUR = 60, 3600
_HEX_NAME = 64
_SHOWN = 12

# What a role is, for a reader who does not know the project.
ROLE_WORDS = {
    "embedding": "the table that turns tokens into numbers, and often back",
    "attention": "what relates each token to the others",
    "mixer": "state-space layers (convolution and scan), which do attention's work",
    "mlp": "the feed-forward part of each layer",
    "expert": "feed-forward parts of which each token takes a few, and their router",
    "norm": "scaling between the parts",
    "head": "what turns the last layer into the answer",
    "other": "weights that the graph does not tell the role of",
    "padding": "room between tensors, because a GPU binds at multiples of 256 bytes",
    "tokenizer": "what cuts text into tokens",
    "original": "the tokenizer as other programs read it; no visitor fetches it",
    "manifest": "the list of files, with a hash for each",
    "plan": "which GPU programs run in which order",
    "kernels": "the GPU programs themselves (WGSL)",
    "engine": "the JavaScript that plays the plan",
    "page": "the page around it",
    "onnx": "the same model for onnxruntime; no visitor fetches it",
    "generation": "defaults for sampling; no visitor fetches them",
    "card": "the model card; no visitor fetches it",
    "report": "the size report; no visitor fetches it",
    "unlisted": "files that the manifest does not know; no visitor fetches them",
}


def short_name(name: str) -> str:
    """A file or weight's name on one line, cut where it only repeats: hashes, and matrices that are stored as one."""
    name = printable(name)
    stem, dot, suffix = name.rpartition(".")
    if dot and len(stem) == _HEX_NAME:
        return f"{stem[:_SHOWN]}….{suffix}"
    first, *others = name.split("+")
    return f"{first} (and {len(others)} more)" if others else name


def told_changed(difference: Difference, weights: Sequence[Weight]) -> str:
    """How many weights are not those of the other build."""
    names = {weight.name for weight in weights}
    changed = [name for name in difference.changed_weights if name in names]
    gone = len(difference.changed_weights) - len(changed)
    told = f"{len(changed)} of {len(weights)} weights have other numbers"
    return f"{told}; {gone} of the other build are gone." if gone else f"{told}."


def duration(seconds: float) -> str:
    """A time for people: "0.8 s", "29 s", "2 min 31 s", "1 h 5 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def percent(part: int, whole: int) -> str:
    """A share: "52.3 %", "<0.1 %"."""
    share = 100 * part / whole if whole else 0.0
    return "<0.1 %" if 0 < share < 0.1 else f"{share:.1f} %"


def signed(size: int) -> str:
    """A change of bytes: "+1,024", "−1,024", "0"."""
    return f"+{size:,}" if size > 0 else f"−{-size:,}" if size else "0"


def folder_of(file: ReportFile) -> str:
    """The folder that a file of the site is listed under; other files stand for themselves."""
    parts = file.file.split("/")
    return "/".join(parts[:-1]) + "/" if file.role in ("engine", "page") else file.file


def part_of(piece: Piece) -> str:
    """What a piece is by its form: values, scales, zero points of weights, padding, or all else."""
    return piece.part or ("padding" if piece.role == "padding" else "not weights")


def layer_of(piece: Piece) -> str:
    """The layer that a piece belongs to, in words."""
    if piece.layer is not None:
        return f"layer {piece.layer}"
    return "weights outside layers" if piece.part else "not weights"


def times(situation: Situation, tier: str) -> str:
    """Predicted times on all networks, in one line."""
    return ", ".join(f"{name} {duration(seconds)}" for name, seconds in situation.seconds(tier).items())
