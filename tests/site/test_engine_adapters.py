"""Adapters in the browser: on, swapped and off again at once, over a base that is fetched once; and what is refused."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from exporter.adapters import make_adapter, merge_lora
from exporter.parity.onnx_runner import OnnxDecoder
from tests.site.conftest import EnginePage
from tests.site.engine_server import EngineServer
from tests.site.engine_session import LOADED, UNLOADED, folder_files
from tests.tiny_adapters import GRANITE_TARGETS
from tests.tiny_granite import random_ids

pytestmark = pytest.mark.browser

Make = Callable[..., Path]
IDS = random_ids(70)
PROMPT, TOKENS = "The lightest thing", 12  # what `answer` asks
SWAPS = 20
MOST_MS = 50


@pytest.fixture(scope="module")
def folders(
    tmp_path_factory: pytest.TempPathFactory, tiny_granite: Make, artifact: Make, adapters: Make
) -> Mapping[str, Path]:
    """A float32 base, two adapters over it, and what each is when it is merged."""
    source, place = tiny_granite(), tmp_path_factory.mktemp("adapters")
    made = {"base": artifact(source, quantize="f32", context=512)}
    peft = {
        "a": adapters(source, GRANITE_TARGETS, r=5, size=0.05),
        "b": adapters(source, ("q_proj", "k_proj", "v_proj", "input_linear"), r=3, seed=2, size=0.3),
    }
    for name, folder in peft.items():
        made[name] = make_adapter(made["base"], folder, place / name).folder
        merge_lora(str(source), folder, place / f"merged-{name}")
        made[f"merged-{name}"] = artifact(place / f"merged-{name}", quantize="f32", context=512)
    return made


@pytest.fixture
def urls(engine_server: EngineServer, folders: Mapping[str, Path]) -> dict[str, str]:
    return {name: engine_server.add(name, folder_files(folders[name])) for name in ("base", "a", "b")}


def apart(one: list[float], other: list[float]) -> float:
    return max(abs(x - y) for x, y in zip(one, other, strict=True))


def test_an_adapter_is_the_merged_model(
    engine_page: EnginePage, urls: dict[str, str], folders: Mapping[str, Path]
) -> None:
    body = (
        LOADED
        + """
      const found = { base: [await logits(), await answer()] };
      for (const name of ['a', 'b']) {
        await model.setAdapter(args[name]);
        found[name] = [await logits(), await answer(), model.adapter];
      }
      await model.setAdapter(null);
      found.again = [await logits(), await answer(), model.adapter];
    """
        + UNLOADED
    )
    found = engine_page.run(body, ids=IDS, **urls)
    prompt = Tokenizer.from_file(str(folders["base"] / "tokenizer.json")).encode(PROMPT).ids
    for name in ("a", "b"):
        merged = OnnxDecoder(folders[f"merged-{name}"])
        assert apart(found[name][0], merged.logits(IDS)[-1].tolist()) < 1e-4
        tokens = merged.generate(prompt, TOKENS)
        assert found[name][1] == tokens[: (*tokens, 0).index(0)]
        assert apart(found[name][0], found["base"][0]) > 0.01
        assert found[name][2]["url"] == urls[name]
    assert found["again"] == [*found["base"], None]
    assert (found["a"][2]["rank"], found["b"][2]["rank"]) == (5, 3)


def test_a_swap_takes_no_time_and_fetches_nothing(
    engine_page: EnginePage, engine_server: EngineServer, urls: dict[str, str]
) -> None:
    body = (
        LOADED
        + """
      const first = {};
      for (const name of ['a', 'b', 'base']) {
        await model.setAdapter(name === 'base' ? null : args[name]);
        first[name] = await answer();
      }
      await fetch(args.base + 'mark');
      const [times, different] = [[], []];
      for (let i = 0; i < args.swaps; i++) {
        const name = ['a', 'b', 'base'][i % 3];
        const began = performance.now();
        await model.setAdapter(name === 'base' ? null : args[name]);
        times.push(performance.now() - began);
        if (i > args.swaps - 4 && String(await answer()) !== String(first[name])) different.push(name);
      }
      const found = { times, different, stats: model.stats().adapter, base: model.info.memoryBytes };
    """
        + UNLOADED
    )
    found = engine_page.run(body, ids=IDS, swaps=SWAPS, **urls)
    times = sorted(found["times"])
    print(f"swaps: median {times[len(times) // 2]:.2f} ms, longest {times[-1]:.2f} ms of {SWAPS}")
    assert times[-1] < MOST_MS
    assert found["different"] == []
    paths = [seen.path for seen in engine_server.seen]
    assert paths[paths.index("/models/base/mark") + 1 :] == []
    weights = [seen.path for seen in engine_server.weights_seen()]
    assert sorted(Path(path).parent.name for path in weights) == ["a", "b", *["base"] * (len(weights) - 2)]
    assert len(set(weights)) == len(weights)
    assert found["stats"]["ready"] == 2
    assert 0 < found["stats"]["memoryBytes"] < found["base"] / 2


def test_over_blocks_it_is_what_onnxruntime_computes(
    engine_page: EnginePage,
    engine_server: EngineServer,
    tiny_granite: Make,
    artifact: Make,
    adapters: Make,
    tmp_path: Path,
) -> None:
    base = artifact(tiny_granite(), quantize="q4", context=512)
    peft = adapters(tiny_granite(), GRANITE_TARGETS, r=5, size=0.05)
    made = make_adapter(base, peft, tmp_path / "made").folder
    for file in base.glob("*.bin"):
        shutil.copyfile(file, made / file.name)
    wanted = OnnxDecoder(made).logits(IDS)[-1]
    for file in base.glob("*.bin"):
        (made / file.name).unlink()
    urls = {name: engine_server.add(name, folder_files(at)) for name, at in (("base", base), ("a", made))}
    body = LOADED + "await model.setAdapter(args.a); const found = await logits();" + UNLOADED
    assert apart(engine_page.run(body, ids=IDS, **urls), [float(x) for x in wanted]) < 1e-3
