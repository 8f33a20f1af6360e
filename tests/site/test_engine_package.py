"""The engine as a package: its types in strict TypeScript, its manifest, and the README's first program."""

import json
import re
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from tests.architecture.tree import ROOT, read
from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import END
from tests.site.engine_server import EngineServer
from tests.site.json_vocabulary import spelled, writer

ENGINE = ROOT / "site" / "engine"
TYPES = Path(__file__).parent / "types"
STRICT: dict[str, Any] = {
    "strict": True,
    "noEmit": True,
    "target": "ES2024",
    "module": "ESNext",
    "moduleResolution": "Bundler",
    "lib": ["ES2024", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
    "types": [],
}


def _complaints(folder: Path, file: Path, **options: object) -> str:
    """What tsc says of a file, seen from `folder`."""
    config = folder / "tsconfig.json"
    config.write_text(json.dumps({"compilerOptions": {**STRICT, **options}, "files": [str(file)]}))
    command = [str(ROOT / "node_modules" / ".bin" / "tsc"), "-p", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_strict_consumer_compiles(tmp_path: Path) -> None:
    """Resolved as any package is: by its name, and its package.json."""
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "thistledown-engine").symlink_to(ENGINE)
    consumer = tmp_path / "consumer.ts"
    consumer.write_text((TYPES / "consumer.ts").read_text())
    assert _complaints(tmp_path, consumer, noUncheckedIndexedAccess=True) == ""


def test_the_types_are_those_of_the_engine(tmp_path: Path) -> None:
    roots = [str(ROOT / "node_modules" / "@webgpu")]
    options = {"allowJs": True, "skipLibCheck": True, "typeRoots": roots, "types": ["types"]}
    assert _complaints(tmp_path, TYPES / "agreement.ts", **options, allowImportingTsExtensions=True) == ""


def test_the_package_names_files_that_are_there() -> None:
    package = json.loads((ENGINE / "package.json").read_text())
    assert (package["name"], package["type"]) == ("thistledown-engine", "module")
    door = package["exports"]["."]
    assert (ENGINE / door["types"]).is_file()
    assert (ENGINE / door["default"]).is_file()
    assert package["types"] == door["types"]
    assert "dependencies" not in package
    version = re.search(r'^version = "(.+)"$', read(PurePosixPath("pyproject.toml")), re.MULTILINE)
    assert version is not None
    assert package["version"] == version[1]


@pytest.mark.browser
def test_the_first_program_of_the_readme_runs(engine_page: EnginePage, engine_server: EngineServer) -> None:
    code = re.findall(
        r"^```js\n(.*?)^```", read(PurePosixPath("site/engine/README.md")), re.DOTALL | re.MULTILINE
    )[0]
    assert len(code.strip().splitlines()) == 5
    chat = {"start": "", "roles": {"user": ["", ""]}, "answer": "", "system": None}
    url = engine_server.add("writer", writer([0, 0, 0, 0, *spelled("ab €"), END], chat=chat).files())
    code = code.replace("import { load } from './engine/index.js';", "const { load } = engine;")
    code = (
        code.replace("'/models/granite/'", "args.url")
        .replace("console.log", "said.push")
        .replace("'Hello'", "'abcab'")
    )
    assert engine_page.run(f"const said = []; {code}; return said;", url=url) == ["ab €"]
