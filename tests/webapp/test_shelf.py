"""Artifact folders are checked before the server starts; what is wrong is named with its place and a remedy."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webapp.served import manifest_of
from webapp import WebappError
from webapp.fields import FieldError, parse_object
from webapp.shelf import Shelf

MakeArtifact = Callable[..., Path]
HASH = "0" * 64


def refusal(*folders: Path) -> WebappError:
    with pytest.raises(WebappError) as caught:
        Shelf(folders)
    assert caught.value.exit_code == 2
    assert caught.value.where
    assert caught.value.remedy
    return caught.value


def test_artifacts_keep_their_order(make_artifact: MakeArtifact) -> None:
    shelf = Shelf([make_artifact("b"), make_artifact("a"), make_artifact("c.q4_x")])
    assert [name for name, _ in shelf.manifests()] == ["b", "a", "c.q4_x"]


def test_only_listed_files_are_on_it(artifact: Path) -> None:
    (artifact / "extra.json").write_text("{}", encoding="utf-8")
    manifest = Shelf([artifact]).manifest("tiny")
    assert manifest is not None
    assert set(manifest.files) == {path.name for path in artifact.iterdir()} - {"extra.json"}


def test_a_relative_folder_is_called_by_its_real_name(
    artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(artifact)
    assert Shelf([Path(".")]).manifest("tiny") is not None
    assert Shelf([Path("../tiny/")]).manifest("tiny") is not None


@pytest.mark.parametrize("again", [".", "../tiny", "../link"])
def test_the_same_folder_twice(artifact: Path, again: str) -> None:
    (artifact.parent / "link").symlink_to("tiny")
    assert "given twice" in str(refusal(artifact, artifact / again))


def test_two_folders_of_one_name(make_artifact: MakeArtifact) -> None:
    error = refusal(make_artifact("a/tiny"), make_artifact("b/Tiny"))
    assert "Two folders are called Tiny" in str(error)
    assert "a/tiny" in error.where
    assert "b/Tiny" in error.where


@pytest.mark.parametrize("name", ["my model", ".hidden", "modèle", "a%2fb", "catalogue.json", "x" * 130])
def test_a_name_that_no_address_can_carry(make_artifact: MakeArtifact, name: str) -> None:
    assert "Rename the folder" in refusal(make_artifact(name)).remedy


@pytest.mark.parametrize("name", ["nothing", "file", "empty"])
def test_no_manifest(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    error = refusal(tmp_path / name)
    assert "no manifest" in error.what
    assert error.where.endswith("manifest.json")
    assert "thistledown export" in error.remedy


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        '{"format": NaN}',
        '{"format": Infinity}',
        "[" * 100_000,
        "\udcff",
        '{"a": 1' + "0" * 5000,
    ],
)
def test_a_manifest_that_is_no_json_object(artifact: Path, text: str) -> None:
    (artifact / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert "The manifest is damaged" in refusal(artifact).what


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"format": "other"}, "format other"),
        ({"version": 2}, "version 2"),
        ({"version": True}, "version"),
        ({"title": 5}, "title"),
        ({"title": "x" * 2000}, "title"),
        ({"title": "\ud800"}, "title"),
        ({"license": []}, "license"),
        ({"languages": "en"}, "languages"),
        ({"languages": [1]}, "languages"),
        ({"parameters": -1}, "parameters"),
        ({"parameters": 2**53}, "parameters"),
        ({"parameters": 1.5}, "parameters"),
        ({"dimensions": "384"}, "dimensions"),
        ({"shards": {}}, "shards"),
        ({"shards": [5]}, r"shards\[0\]"),
        ({"shards": [{"file": f"{HASH}.bin", "bytes": 5}]}, r"shards\[0\].sha256"),
        ({"shards": [{"file": "weights.bin", "bytes": 5, "sha256": HASH}]}, "named by its hash"),
        ({"plans": []}, "plans"),
        ({"plans": {"base": {"file": "plan.f16.json", "bytes": 5, "sha256": HASH}}}, "named by its tier"),
        ({"plans": {"../x": {"file": "plan...-x.json", "bytes": 5, "sha256": HASH}}}, "tier|file name"),
        ({"files": [{"file": "a.json", "role": "card", "bytes": 5, "sha256": "XY"}]}, "64 hex"),
        ({"files": [{"file": "manifest.json", "role": "card", "bytes": 5, "sha256": HASH}]}, "listed twice"),
        ({"files": [{"file": "page.html", "role": "card", "bytes": 5, "sha256": HASH}]}, "kind"),
        ({"files": [{"file": "code.js", "role": "card", "bytes": 5, "sha256": HASH}]}, "kind"),
        ({"files": [{"file": "icon.svg", "role": "card", "bytes": 5, "sha256": HASH}]}, "kind"),
    ],
)
def test_a_damaged_manifest(make_artifact: MakeArtifact, changes: dict[str, Any], complaint: str) -> None:
    error = refusal(make_artifact(**changes))
    assert error.what.startswith("The manifest is damaged: ")
    assert re.search(complaint, error.what)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.json",
        "/etc/secret.json",
        "a/b.json",
        "a\\b.json",
        "..",
        ".env.json",
        "",
        "a\0.json",
        "C:x.json",
    ],
)
def test_a_listed_name_that_leads_elsewhere(make_artifact: MakeArtifact, name: str) -> None:
    file = {"file": name, "role": "card", "bytes": 5, "sha256": HASH}
    assert "plain file name" in refusal(make_artifact(files=[file])).what


def test_every_key_that_is_read_is_needed(artifact: Path) -> None:
    whole = json.loads((artifact / "manifest.json").read_text(encoding="utf-8"))
    for key in whole.keys() - {"source", "vocabulary", "generation"}:
        (artifact / "manifest.json").write_text(
            json.dumps({name: value for name, value in whole.items() if name != key}), encoding="utf-8"
        )
        assert f"{key} is missing" in refusal(artifact).what


def test_a_listed_file_that_is_absent(artifact: Path) -> None:
    (artifact / "tokenizer.json").unlink()
    error = refusal(artifact)
    assert "absent" in error.what
    assert error.where.endswith("tokenizer.json")


def test_a_listed_file_of_another_size(artifact: Path) -> None:
    with (artifact / "model.onnx").open("ab") as file:
        file.write(b"x")
    assert "1001 bytes where the manifest says 1000" in refusal(artifact).what


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "manifest.json"])
def test_a_file_that_is_a_link_out_of_the_folder(artifact: Path, name: str) -> None:
    (artifact / name).rename(artifact.parent / "outside")
    (artifact / name).symlink_to("../outside")
    assert refusal(artifact).where.endswith(name)


def test_messages_show_no_control_characters(make_artifact: MakeArtifact) -> None:
    message = str(refusal(make_artifact(format="\x1b[2Jevil\r\n" * 1000)))
    assert message.isprintable()
    assert len(message) < 2000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_one_value_is_sound_or_refused(artifact: Path, data: st.DataObject) -> None:
    """Whatever stands in a manifest, reading it ends with a manifest or a WebappError."""

    def change(value: Any) -> None:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = data.draw(st.sampled_from(keys))
        if isinstance(value[key], dict | list) and value[key] and data.draw(st.booleans()):
            change(value[key])
        else:
            value[key] = data.draw(JSON)

    sound = (artifact / "manifest.json").read_text(encoding="utf-8")
    manifest = json.loads(sound)
    change(manifest)
    try:
        (artifact / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        with suppress(WebappError):
            Shelf([artifact])
    finally:
        (artifact / "manifest.json").write_text(sound, encoding="utf-8")


@settings(max_examples=500, deadline=None)
@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_an_object_or_refused(document: bytes) -> None:
    with suppress(FieldError):
        parse_object(document)


def test_an_adapter_is_served_and_is_no_model(
    serve_folders: Callable[..., Any], artifact: Path, tmp_path: Path
) -> None:
    """What `thistledown adapter` writes: its files have addresses, and the list of models does not have it."""
    folder = tmp_path / "poet"
    folder.mkdir()
    model = manifest_of(folder)
    kept = {key: model[key] for key in ("name", "version", "plans")}
    adapter = {
        "format": "thistledown-adapter",
        **kept,
        "shard": model["shards"][0],
        "files": model["files"][:1],
    }
    (folder / "manifest.json").write_text(json.dumps(adapter))
    with serve_folders(artifact, folder) as client:
        listed = client.get("/models/catalogue.json").json()["models"]
        assert [each["url"] for each in listed] == ["models/tiny/"]
        assert client.get("/models/poet/manifest.json").json() == adapter
        assert client.get(f"/models/poet/{adapter['shard']['file']}").status_code == 200
        assert client.get("/models/poet/tokenizer.json").status_code == 404
