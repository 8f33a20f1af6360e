"""Collects what the parity tests measure and writes docs/parity.md from it: `make parity`, on a whole run."""

from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "parity.md"
RUNTIMES = ("onnxruntime", "wgpu-py", "Chromium")
_HEAD = """# Parity with transformers

Largest difference of any logit to transformers in float32, over tiny seeded checkpoints (tests/tiny_models,
tests/tiny_granite and tests/tiny_encoders): prompts of 1 to 200 tokens in one piece, in two and token by token. The
tests' bound is 0.001. Where the table has a number, 32 greedy tokens were the same, too. Encoders (bert, distilbert)
read texts of 1 to 96 tokens for each of their tasks; in Chromium the logarithms of their scores are compared. Written
by `make parity`.

"""

_largest: dict[tuple[str, str], float] = {}
_checkpoints: dict[tuple[str, str], set[str]] = {}


def note(model_type: str, runtime: str, checkpoint: str, difference: float) -> None:
    """Remember the largest `difference` of a logit that a test has seen for `checkpoint` in `runtime`."""
    key = (model_type, runtime)
    _largest[key] = max(_largest.get(key, 0.0), difference)
    _checkpoints.setdefault(key, set()).add(checkpoint)


def write_page() -> None:
    """Write docs/parity.md from everything noted in this run."""
    rows = [["architecture", *RUNTIMES], ["---", *["---:"] * len(RUNTIMES)]]
    for model_type in sorted({model_type for model_type, _ in _largest}):
        rows.append([model_type, *(_cell(model_type, runtime) for runtime in RUNTIMES)])
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    PAGE.write_text(f"{_HEAD}{table}\n", encoding="utf-8")


def _cell(model_type: str, runtime: str) -> str:
    key = (model_type, runtime)
    if key not in _largest:
        return "not run"
    count = len(_checkpoints[key])
    return f"{_largest[key]:.1e} ({count} checkpoint{'s' * (count > 1)})"
