"""/models/catalogue.json: what the start page knows of each model before anything is downloaded."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx


def test_the_facts_of_each_model(client: httpx.Client) -> None:
    document = client.get("/models/catalogue.json").json()
    assert (document["format"], document["version"]) == ("thistledown-catalogue", 1)
    (model,) = document["models"]
    assert model["url"] == "models/tiny/"
    manifest = client.get("/" + model["url"] + "manifest.json").json()
    card = model["manifest"]
    for key in ("name", "title", "task", "architecture", "license", "languages", "quantization"):
        assert card[key] == manifest[key]
    assert (card["parameters"], card["context"], card["dimensions"]) == (1024, 128, 32)
    plan = manifest["plans"]["base"]
    assert card["plans"] == {"base": {key: plan[key] for key in ("features", "memory", "limits", "bytes")}}


def test_the_download_is_what_a_visit_fetches(client: httpx.Client) -> None:
    (model,) = client.get("/models/catalogue.json").json()["models"]
    manifest = client.get("/models/tiny/manifest.json").json()
    names = ["manifest.json", "plan.base.json", manifest["shards"][0]["file"], "tokenizer.json"]
    fetched = sum(len(client.get(f"/models/tiny/{name}").content) for name in names)
    assert model["manifest"]["downloadBytes"] == {"base": fetched}


def test_the_transfer_is_what_travels_to_a_visitor_who_takes_brotli(client: httpx.Client) -> None:
    (model,) = client.get("/models/catalogue.json").json()["models"]
    manifest = client.get("/models/tiny/manifest.json").json()
    travels = 0
    for name in ("manifest.json", "plan.base.json", manifest["shards"][0]["file"], "tokenizer.json"):
        with client.stream("GET", f"/models/tiny/{name}", headers={"Accept-Encoding": "gzip, br"}) as answer:
            travels += sum(map(len, answer.iter_raw()))
    assert model["manifest"]["transferBytes"] == {"base": travels}
    assert travels < model["manifest"]["downloadBytes"]["base"]


def test_a_report_that_is_a_page_is_told_where_there_is_one(
    serve_folders: Callable[..., Any], make_artifact: Callable[..., Path]
) -> None:
    with_page = make_artifact("b")
    (with_page / "report.html").write_text("<p>", encoding="utf-8")
    with serve_folders(with_page, make_artifact("a")) as client:
        models = client.get("/models/catalogue.json").json()["models"]
    assert [model["reportPage"] for model in models] == [True, False]


def test_without_models_the_list_is_empty(serve_folders: Callable[..., Any]) -> None:
    with serve_folders() as client:
        assert client.get("/models/catalogue.json").json()["models"] == []


def test_models_come_in_the_order_given(
    serve_folders: Callable[..., Any], make_artifact: Callable[..., Path]
) -> None:
    with serve_folders(make_artifact("b"), make_artifact("a", license=None, dimensions=None)) as client:
        models = json.loads(client.get("/models/catalogue.json").content)["models"]
    assert [model["url"] for model in models] == ["models/b/", "models/a/"]
    assert models[1]["manifest"]["license"] is None


def test_the_labels_of_a_classifier_are_told(
    serve_folders: Callable[..., Any], make_artifact: Callable[..., Path]
) -> None:
    classifier = make_artifact("c", task="text-classification", labels=["joy", "grief"], dimensions=None)
    with serve_folders(classifier, make_artifact("e")) as client:
        models = client.get("/models/catalogue.json").json()["models"]
    assert [model["manifest"]["labels"] for model in models] == [["joy", "grief"], None]
