"""Time the dispatches of a plan's phase one by one in headless Chromium on SwiftShader, added up by kernel.

    python -m scripts.profile_in_browser build/models/minilm-q8 --phase encode --tokens 512 --sequences 22
    python -m scripts.profile_in_browser build/models/minilm-q8 --embed 64

Each dispatch is submitted and waited for alone; the best of several rounds counts. `--embed` times that many sentences
of about 23 tokens instead, from text to vectors. Times compare kernels with one another and say nothing about a GPU.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.play_in_browser import FLAGS, PATIENCE_MS, serving
from scripts.programs import find_chromium

SENTENCE = "The lightest seed that travels on the wind is carried by a crown of fine hairs over field {}"
EMBED = """async ([folder, tier, tune, texts, rounds]) => {
  const { load } = await import('/engine/index.js');
  const began = performance.now();
  const model = await load(`/models/${folder}/`, { backend: 'webgpu', ...(tier && { tier }), tune });
  const loaded = performance.now() - began;
  const seconds = [];
  let tokens = 0;
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now();
    tokens = (await model.embed(texts)).reduce((sum, each) => sum + each.tokens, 0);
    seconds.push((performance.now() - begin) / 1000);
  }
  const { tier: played, choices } = model.info;
  await model.unload();
  return { tier: played, choices, loadSeconds: loaded / 1000, tokens, seconds };
}"""
PROFILE = """async ([folder, tier, tune, phase, symbols, rounds]) => {
  const { openSession } = await import('/engine/session.js');
  const { readManifest } = await import('/engine/manifest.js');
  const { gridSize } = await import('/engine/plan.js');
  const { writeStep } = await import('/engine/step.js');
  const base = new URL(`/models/${folder}/`, location.href).href;
  const manifest = readManifest(await (await fetch(`${base}manifest.json`)).json(), `${base}manifest.json`);
  const session = await openSession({ base, manifest, tier, tune }, () => {}, new AbortController().signal);
  const { device, plan, player, buffers } = session;
  const put = (name, words) => {
    const target = buffers.find(name);
    if (target) device.gpu.queue.writeBuffer(target, 0, new Uint32Array(words));
  };
  const { tokens, sequences } = symbols;
  put('ids', Array.from({ length: tokens }, (_, i) => (i * 37) % manifest.vocabulary));
  if (phase === 'encode') {
    const bounds = Array.from({ length: sequences + 1 }, (_, i) => Math.floor((i * tokens) / sequences));
    const of = Array.from({ length: tokens }, (_, i) => bounds.findLastIndex((bound) => bound <= i));
    put('bounds', bounds);
    put('sequence_of', of);
    put('positions', of.map((sequence, i) => i - bounds[sequence]));
  }
  const dispatches = player.phases.get(phase);
  const play = async (some) => {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { pipeline, group, grid } of some) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...grid.map((size) => gridSize(size, symbols)));
    }
    pass.end();
    const begin = performance.now();
    device.gpu.queue.submit([encoder.finish()]);
    await device.gpu.queue.onSubmittedWorkDone();
    return performance.now() - begin;
  };
  const best = dispatches.map(() => Infinity);
  let whole = Infinity;
  for (let round = 0; round < rounds; round++) {
    writeStep(session, symbols, 0);
    whole = Math.min(whole, await play(dispatches));
    writeStep(session, symbols, 0);
    for (const [i, each] of dispatches.entries()) best[i] = Math.min(best[i], await play([each]));
  }
  const { wayOf } = await import('/engine/choices/choices.js');
  const labels = plan.phases[phase].map((dispatch) => {
    const { kernel } = wayOf(dispatch, plan.choices, tune);
    const { shader, constants } = plan.kernels[kernel];
    return 'inner' in constants ? `${shader} ${constants.inner} x ${constants.rows}` : shader;
  });
  return { whole, times: labels.map((label, i) => [label, best[i]]) };
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="an artifact")
    parser.add_argument("--tier", choices=("base", "subgroups"))
    parser.add_argument("--phase", default="encode")
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--past", type=int, default=0)
    parser.add_argument("--sequences", type=int, default=22)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--choose", action="append", default=[], metavar="FAMILY=WAY", help="else the device's tuner chooses"
    )
    parser.add_argument("--embed", type=int, metavar="TEXTS", help="time texts to vectors instead")
    options = parser.parse_args()
    tune: Any = dict(each.split("=") for each in options.choose) or ("auto" if options.embed else {})
    with _page(options.folder) as page:
        name = options.folder.resolve().name
        if options.embed:
            texts = [SENTENCE.format(i) for i in range(options.embed)]
            print(page.evaluate(EMBED, [name, options.tier, tune, texts, options.rounds]))
            return
        symbols = {key: getattr(options, key) for key in ("tokens", "past", "sequences")}
        tier = options.tier or "subgroups"
        _tell(page.evaluate(PROFILE, [name, tier, tune, options.phase, symbols, options.rounds]))


@contextmanager
def _page(folder: Path) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with serving(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{address}generate.html".replace("127.0.0.1", "localhost"))
        yield page
        browser.close()


def _tell(found: dict[str, Any]) -> None:
    sums: dict[str, list[float]] = {}
    for label, milliseconds in found["times"]:
        sums.setdefault(label, []).append(milliseconds)
    total = sum(map(sum, sums.values()))
    print(f"whole phase {found['whole']:.1f} ms, dispatches alone {total:.1f} ms")
    for label, times in sorted(sums.items(), key=lambda each: -sum(each[1])):
        print(f"{sum(times):9.1f} ms {100 * sum(times) / total:5.1f} %  {len(times):3} x {label}")


if __name__ == "__main__":
    main()
