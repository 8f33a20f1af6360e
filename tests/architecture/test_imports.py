"""The arrows between the rooms, as ARCHITECTURE.md draws them."""

import subprocess
import sys
from pathlib import PurePosixPath

import pytest

from tests.architecture.python_imports import Import, imports_under
from tests.architecture.tree import ROOT, own_files, read

ROOMS = ("bench", "exporter", "webapp", "wgsl_kernels")

# Which other rooms and which packages a room may import. Rooms are entered by their door.
ROOM_IMPORTS = {
    "wgsl_kernels": {"numpy"},
    "webapp": {"wgsl_kernels", "starlette", "uvicorn", "brotli"},
    # uvicorn and starlette only to put the peers beside the web app; gguf, onnx and onnxruntime to make their files.
    "bench": {
        "wgsl_kernels",
        "webapp",
        "gguf",
        "numpy",
        "onnx",
        "onnxruntime",
        "psutil",
        "playwright",
        "starlette",
        "tokenizers",
        "uvicorn",
    },
    "exporter": {
        "wgsl_kernels",
        "accelerate",
        "brotli",
        "faker",
        "huggingface_hub",
        "jinja2",
        "matplotlib",
        "ml_dtypes",
        "numpy",
        "onnx",
        "onnx_ir",
        "onnxruntime",
        "onnxscript",
        "peft",
        "rich",
        "safetensors",
        "tokenizers",
        "torch",
        "transformers",
        "wgpu",
    },
}

# A door may have a second wing that costs more to enter, and says so in its docstring.
DOORS = {"webapp", "wgsl_kernels", "wgsl_kernels.reference"}

# What each part of exporter/ may import beside itself and FOR_ALL, which import nothing of exporter/.
FOR_ALL = {"errors", "placement", "row_tensor", "sizes", "strict_json"}
EXPORTER_IMPORTS: dict[str, set[str]] = {
    **{part: set() for part in FOR_ALL},
    "adapter_commands": {"adapters"},
    "adapters": {"artifact", "checkpoints", "lowering", "ops", "passes", "quantization"},
    "alternatives": {
        "artifact",
        "calibration",
        "checkpoints",
        "export_options",
        "progress",
        "quantization",
        "report",
    },
    "artifact": set(),
    "calibration": {"passes", "quantization"},
    "card": {"artifact"},
    "chat": {"artifact"},
    "checkpoints": set(),
    "coded_shards": {"artifact", "coding", "passes"},
    "coding": set(),
    "components": {"ops"},
    "brief_parser": set(),
    "measuring_options": set(),
    "export_options": {"lowering", "quantization", "report"},
    "foreign": {"components", "models", "ops"},
    "front_ends": {"checkpoints", "foreign", "models"},
    "generation": {"artifact"},
    "lowering": {"ops"},
    "models": {"components", "ops"},
    "ops": set(),
    "parity": {
        "artifact",
        "checkpoints",
        "components",
        "lowering",
        "models",
        "ops",
        "passes",
        "quantization",
    },
    "packed_tokenizer": set(),
    "passes": {"ops", "quantization"},
    "progress": set(),
    "quantization": set(),
    "reduction": {"artifact", "checkpoints", "progress"},
    "report": {"artifact", "coding"},
    "tokenizer_files": {"artifact", "packed_tokenizer"},
}
JOINS_ALL = {"__init__", "__main__", "pipeline"}

# Packages that only some folders of exporter/ may see.
PACKAGE_FOLDERS = {
    "accelerate": {"reduction"},
    "faker": {"reduction"},
    "matplotlib": {"reduction"},
    "huggingface_hub": {"checkpoints"},
    "jinja2": {"chat"},
    "onnxruntime": {"calibration", "foreign", "parity", "passes"},
    "onnxscript": {"ops"},
    "peft": {"reduction"},
    "torch": {"foreign", "ops", "parity", "reduction"},
    "transformers": {"foreign", "parity", "reduction"},
    "wgpu": {"parity"},
}

# Slow to import, or absent from a machine that only exports. A module that is about nothing else may import one
# at its top if it has the package's name in front of its own (torch_ssm_scan.py); it is then itself heavy.
HEAVY = (
    "accelerate",
    "faker",
    "matplotlib",
    "peft",
    "torch",
    "transformers",
    "wgpu",
    "playwright",
    "onnxscript",
)


def _exporter_part(name: str) -> str:
    return [*name.split("."), ""][1]


def _folder_of(found: Import) -> str:
    return found.file.parts[1].removesuffix(".py")


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_what_the_table_allows(room: str) -> None:
    allowed = ROOM_IMPORTS[room] | {room} | sys.stdlib_module_names
    wrong = [str(found) for found in imports_under(room) if found.top not in allowed]
    assert not wrong, (
        f"{room}/ may import {sorted(ROOM_IMPORTS[room])}; see Rooms in ARCHITECTURE.md: {wrong}"
    )


@pytest.mark.parametrize("room", ROOMS)
def test_other_rooms_are_entered_by_their_door(room: str) -> None:
    others = [found for found in imports_under(room) if found.top in ROOMS and found.top != room]
    wrong = [str(found) for found in others if found.name not in DOORS]
    assert not wrong, f"import from the room itself, and let its __init__.py offer what is missing: {wrong}"


def test_the_kernels_door_needs_only_the_standard_library() -> None:
    outside = [found for found in imports_under("wgsl_kernels") if "reference" not in found.file.parts]
    wrong = [str(found) for found in outside if found.top == "numpy"]
    assert not wrong, f"webapp has no NumPy: only wgsl_kernels/reference may use it: {wrong}"


@pytest.mark.parametrize("folder", sorted(EXPORTER_IMPORTS))
def test_exporter_folders_import_only_what_the_table_allows(folder: str) -> None:
    place = f"exporter/{folder}" if (ROOT / "exporter" / folder).is_dir() else f"exporter/{folder}.py"
    parts = [found for found in imports_under(place) if found.top == "exporter"]
    allowed = EXPORTER_IMPORTS[folder] | {folder} | (set() if folder in FOR_ALL else FOR_ALL)
    wrong = [str(found) for found in parts if _exporter_part(found.name) not in allowed]
    assert not wrong, f"exporter/{folder} may import {sorted(allowed)}; pipeline.py joins the rest: {wrong}"


def test_every_part_of_the_exporter_has_a_row_in_the_table() -> None:
    parts = {path.parts[1].removesuffix(".py") for path in own_files(".py", under="exporter")}
    assert parts - JOINS_ALL == set(EXPORTER_IMPORTS), "keep this table and ARCHITECTURE.md true to the tree"


@pytest.mark.parametrize("package", PACKAGE_FOLDERS)
def test_packages_stay_in_their_folders(package: str) -> None:
    allowed = PACKAGE_FOLDERS[package]
    users = [found for found in imports_under("exporter") if found.top == package]
    wrong = [str(found) for found in users if _folder_of(found) not in allowed]
    assert not wrong, f"only {sorted(allowed)} may know {package}: {wrong}"


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    eager = [found for room in ("bench", "exporter") for found in imports_under(room) if not found.deferred]
    heavy = {found.file for found in eager if found.top in HEAVY}
    misnamed = [str(file) for file in heavy if file.stem.split("_")[0] not in HEAVY]
    assert not misnamed, f"import it inside the function that needs it, or name the file after it: {misnamed}"
    modules = {".".join(file.with_suffix("").parts) for file in heavy}
    wrong = [str(found) for found in eager if found.name in modules and found.file not in heavy]
    assert not wrong, f"import these inside the function that needs them: export runs without them: {wrong}"


def test_the_command_line_starts_without_heavy_packages() -> None:
    script = "import sys, bench.__main__, exporter.__main__, webapp.__main__; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()).isdisjoint(HEAVY)


def test_only_the_door_and_the_command_line_import_the_pipeline() -> None:
    users = {str(found.file) for found in imports_under("exporter") if found.name == "exporter.pipeline"}
    assert users <= {"exporter/__init__.py", "exporter/__main__.py"}


def test_nothing_is_unpickled_or_evaluated() -> None:
    banned = {"pickle", "marshal", "shelve", "dill", "joblib"}
    wrong = [str(found) for room in ROOMS for found in imports_under(room) if found.top in banned]
    assert not wrong, f"files from outside are hostile, and these run what they read: {wrong}"


def test_architecture_names_every_part_of_the_exporter() -> None:
    words = read(PurePosixPath("ARCHITECTURE.md"))
    assert [part for part in EXPORTER_IMPORTS if f"`{part}" not in words] == []
