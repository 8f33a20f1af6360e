"""`thistledown export --dry-run`: what it foretells from config.json is, to the byte, what an export then makes."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.__main__ import main
from exporter.checkpoints import open_checkpoint
from exporter.export_options import ExportOptions
from exporter.models import CATALOG
from exporter.pipeline import predict
from exporter.progress import Progress
from exporter.report import Prediction
from tests.published import FOLDER
from tests.tiny_models import DECODERS

Make = Callable[..., Path]
# One tiny checkpoint of each architecture.
TINY = {row.model_type: name for name, row in reversed(DECODERS.items()) if row.model_type in CATALOG}
SCHEMES = ("f32", "q8", "q4", "q4z")


def _predict(source: Path | str, output: Path, **options: object) -> Prediction:
    given = ExportOptions(str(source), output, **options)  # type: ignore[arg-type]
    return predict(given, Progress(quiet=True))


def _assert_came_true(foretold: Prediction, folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    shards = [file.bytes for file in foretold.files if file.role == "weights"]
    assert shards == [shard["bytes"] for shard in manifest["shards"]]
    others = {file.file: file.bytes for file in foretold.files if file.role != "weights"}
    assert others == {path.name: path.stat().st_size for path in folder.iterdir() if path.suffix != ".bin"}
    assert {name: plan.memory for name, plan in foretold.manifest.plans.items()} == {
        name: plan["memory"] for name, plan in manifest["plans"].items()
    }
    assert foretold.total == sum(path.stat().st_size for path in folder.iterdir())


def _without_weights(checkpoint: Path, folder: Path) -> Path:
    ignored = shutil.ignore_patterns("*.safetensors", "*.safetensors.index.json")
    return Path(shutil.copytree(checkpoint, folder / checkpoint.name, ignore=ignored))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("model", ["granite", "minilm"])
def test_the_export_differs_by_no_byte(
    model: str, scheme: str, artifact: Make, tiny_granite: Make, minilm_checkpoint: Path, tmp_path: Path
) -> None:
    checkpoint = tiny_granite() if model == "granite" else minilm_checkpoint
    source = "minilm" if model == "minilm" else str(_without_weights(checkpoint, tmp_path))
    made = artifact("minilm" if model == "minilm" else checkpoint, quantize=scheme, context=512)
    _assert_came_true(_predict(source, made, quantize=scheme, context=512), made)


@pytest.mark.parametrize("model_type", TINY)
def test_the_export_of_every_architecture_differs_by_no_byte(
    model_type: str, artifact: Make, tiny_model: Make, tmp_path: Path
) -> None:
    """From the names of tensors in an index: some of these checkpoints spell them as only few do."""
    checkpoint = tiny_model(TINY[model_type])
    made = artifact(checkpoint, quantize="q4")
    source = _without_weights(checkpoint, tmp_path)
    names = dict.fromkeys(open_checkpoint(str(checkpoint)).tensors, "model-00001-of-00001.safetensors")
    (source / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    _assert_came_true(_predict(source, made, quantize="q4"), made)


def test_the_size_of_shards_is_foretold(artifact: Make, tiny_granite: Make) -> None:
    made = artifact(tiny_granite(), quantize="f32", context=512, shard_size=150_000)
    foretold = _predict(tiny_granite(), made, quantize="f32", context=512, shard_size=150_000)
    assert len(foretold.manifest.shards) > 5
    _assert_came_true(foretold, made)


def test_config_json_alone_will_do(
    tiny_granite: Make, artifact: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is made from other files is called unknown; weights, graph and plans are known to the byte."""
    checkpoint = tiny_granite()
    made = artifact(checkpoint, quantize="q4", context=512)
    bare = tmp_path / checkpoint.name
    bare.mkdir()
    shutil.copy(checkpoint / "config.json", bare)
    assert main(["export", str(bare), "--dry-run", "--quantize", "q4", "--context", "512", "--json"]) == 0
    foretold = json.loads(capsys.readouterr().out)
    assert foretold["unknown"] == ["manifest.json", "report.json", "tokenizer.json"]
    sizes = {file["file"]: file["bytes"] for file in foretold["files"]}
    for name in ("model.onnx", "plan.base.json", "plan.subgroups.json", "plan.f16.json"):
        assert sizes[name] == (made / name).stat().st_size
    assert list(tmp_path.iterdir()) == [bare]
    assert [path.name for path in bare.iterdir()] == ["config.json"]


def test_people_read_what_it_costs(
    tiny_granite: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(tiny_granite()), "--dry-run", "-o", str(tmp_path / "model")]) == 0
    told = capsys.readouterr().out
    assert "Nothing was written" in told
    assert "GPU memory" in told
    assert "first visit downloads about" in told
    assert list(tmp_path.iterdir()) == []


def test_of_coded_weights_it_tells_the_most(tiny_granite: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """A budget that the plain weights exceed may be kept."""
    asked = ["export", str(tiny_granite()), "--dry-run", "--quantize", "e3", "--budget", "10kB"]
    assert main(asked) == 0
    told = capsys.readouterr().out
    assert "first visit downloads at most" in told
    assert "only the weights tell" in told


def test_a_budget_is_checked(tiny_granite: Make, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(tiny_granite()), "--dry-run", "--budget", "10kB"]) == 1
    assert "budget" in capsys.readouterr().err


def test_an_export_needs_a_folder_to_write_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "minilm"]) == 2
    assert "--output" in capsys.readouterr().err


def test_what_the_index_lacks_is_missing(tiny_granite: Make, tmp_path: Path) -> None:
    """Where only the index of the weights is there, the names in it are believed."""
    bare = _without_weights(tiny_granite(), tmp_path)
    index = {"weight_map": {"model.embed_tokens.weight": "model-00001-of-00001.safetensors"}}
    (bare / "model.safetensors.index.json").write_text(json.dumps(index))
    assert main(["export", str(bare), "--dry-run"]) == 2


MEASURED = """
import sys
from exporter.__main__ import main
from tests.peak_memory import peak_bytes
code = main(["export", sys.argv[1], "--dry-run", "--quantize", "q4"])
print(peak_bytes())
sys.exit(code)
"""


def test_a_model_too_big_to_hold_is_foretold_in_little_memory() -> None:
    """Granite-4.0-H-Small: 32 billion parameters."""
    source = str(FOLDER / "granite-4.0-h-small")
    ran = subprocess.run([sys.executable, "-c", MEASURED, source], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert "32,207," in ran.stdout.splitlines()[0]
    assert int(ran.stdout.splitlines()[-1]) < 300_000_000
