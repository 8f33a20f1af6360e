"""What a token costs: no GPU object, no write, and a submit for several; and how a prompt is cut into short submits."""

from typing import Any

import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import A, B, C, generation_artifact
from tests.site.engine_server import EngineServer
from tests.site.engine_session import OPEN

pytestmark = pytest.mark.browser

TOKENS = 200
RAMP = 20  # tokens, of which the first come one to a submit

# Every call that makes something on the GPU, or writes to it, by name; what is counted begins after the ramp.
COUNTED = (
    OPEN
    + """
  const counts = {};
  const wrapped = [
    [GPUDevice.prototype, Object.getOwnPropertyNames(GPUDevice.prototype).filter((name) =>
      /^(create|import)/.test(name))],
    [GPUQueue.prototype, ['submit', 'writeBuffer', 'writeTexture', 'copyExternalImageToTexture']],
    [GPUCommandEncoder.prototype, ['beginComputePass', 'beginRenderPass', 'clearBuffer']],
  ];
  const originals = [];
  for (const [prototype, names] of wrapped) {
    for (const name of names) {
      const original = prototype[name];
      originals.push(() => { prototype[name] = original; });
      prototype[name] = function (...rest) {
        counts[name] = (counts[name] ?? 0) + 1;
        return original.apply(this, rest);
      };
    }
  }
  let ramp = null;
  let seen = 0;
  try {
    for await (const pieces of generate(session, 'aaaaa', { maxTokens: args.tokens }, signal)) {
      seen += pieces.length;
      if (!ramp && seen >= args.ramp) ramp = { seen, counts: { ...counts } };
    }
  } finally {
    for (const restore of originals) restore();
    session.device.destroy();
  }
  const steady = Object.keys(counts).map((name) => [name, counts[name] - (ramp.counts[name] ?? 0)]);
  return { tokens: seen - ramp.seen, all: counts, steady: Object.fromEntries(steady.filter(([, count]) => count > 0)) };
"""
)


def test_a_token_makes_nothing_writes_nothing_and_shares_its_submit(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    """In the steady state: command encoder, pass and submit are for four tokens or more, and there is nothing else."""
    artifact = generation_artifact([A, B, C] * 100, context=300, ring=64)
    found = engine_page.run(
        COUNTED, url=engine_server.add("tiny", artifact.files()), tokens=TOKENS, ramp=RAMP
    )
    steady, tokens = found["steady"], found["tokens"]
    assert tokens >= 64
    assert steady.keys() == {"createCommandEncoder", "beginComputePass", "submit"}
    assert len(set(steady.values())) == 1, "one encoder and one pass for each submit"
    assert steady["submit"] <= tokens / 4
    made = {name for name in found["all"] if name.startswith("create")}
    assert made == {"createCommandEncoder"}, "not even the prompt makes anything else"


@pytest.mark.parametrize(
    ("each", "expected"), [(0.5, 8), (5, 8), (8, 5), (10, 4), (30, 4), (62, 4), (63, 1), (400, 1)]
)
def test_tokens_share_a_submit_unless_text_would_stall(
    engine_page: EnginePage, each: float, expected: int
) -> None:
    """`each` is what a token takes, in ms, on a device made up."""
    body = """
      const { Pace } = await import('/engine/generation/answer.js');
      let now = 0;
      const pace = new Pace(8, () => now);
      const sizes = [];
      for (let i = 0; i < 8; i++) {
        sizes.push(pace.tokens);
        now += pace.tokens * args.each;
        pace.came(pace.tokens);
      }
      return sizes;
    """
    sizes = engine_page.run(body, each=each)
    assert sizes[0] == 1
    assert sizes[2:] == [expected] * 6


# A device made up: a submit takes `overhead` ms, and for each of its dispatches `rate` ms times the cost of its kernel
# for a tile of tokens; some kernels take the longer the longer the past is. Two submits are under way.
PREFILL = """
  const { PrefillPace } = await import('/engine/generation/prefill_pace.js');
  const pace = new PrefillPace(args.kernels);
  const run = (length) => {
    const times = [];
    const blocks = [];
    const news = [];
    let tokens = 0;
    for (let past = 0; past < length; past += tokens) {
      tokens = pace.tokens(length - past, 256);
      blocks.push(tokens);
      for (let first = 0; first < args.kernels.length;) {
        let end = pace.end(first, tokens);
        if (pace.expected(first, end) === Infinity) {
          for (const one of news.splice(0)) pace.took(...one);
          end = pace.end(first, tokens);
        }
        let ms = 0;
        for (let i = first; i < end; i++) {
          const cost = args.costs[args.kernels[i]] * (args.kernels[i] === 5 ? 1 + past / 256 : 1);
          ms += cost * args.rate * Math.max(1, tokens / 64);
        }
        ms = args.overhead + ms * (1 + 0.2 * Math.sin(times.length * 7));
        times.push(ms);
        news.push([first, end, tokens, ms]);
        if (news.length > 1) pace.took(...news.shift());
        first = end;
      }
    }
    for (const one of news) pace.took(...one);
    return { times, blocks };
  };
  return [run(args.length), run(args.length)];
"""
COSTS = [0.2, 3, 0.5, 3, 2, 1, 8, 4]
LAYERS = 40


def cut(page: EnginePage, rate: float, length: int) -> Any:
    """Two prompts, one after the other."""
    return page.run(PREFILL, costs=COSTS, kernels=[*range(8)] * LAYERS, rate=rate, overhead=1, length=length)


@pytest.mark.parametrize("rate", [0.0001, 0.01, 0.05, 0.3, 2, 8])
def test_no_submit_of_a_prompt_holds_the_gpu_for_100_ms(engine_page: EnginePage, rate: float) -> None:
    """From 0.1 ms for 64 tokens, a large GPU, to 7 s, an adapter made of software."""
    first, second = cut(engine_page, rate, 2000)
    assert max(first["times"] + second["times"]) < 100
    for done in (first, second):
        assert sum(done["blocks"]) == 2000
        assert all(block % 64 == 0 for block in done["blocks"][:-1])
    if rate < 0.01:
        assert len(first["times"]) < 60, "learning costs a fast device little"
        assert len(second["times"]) == 8, "and no later prompt anything"
    else:
        steady = second["times"][:-1]
        assert sum(steady) / len(steady) > 20, "submits are as large as they may be"


def test_a_dispatch_is_never_cut_even_if_it_takes_too_long(engine_page: EnginePage) -> None:
    first, _ = cut(engine_page, 1000, 64)
    assert len(first["times"]) == 8 * LAYERS
