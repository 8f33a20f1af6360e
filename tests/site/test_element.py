"""<thistledown-chat> on a page with the strictest policy: what a visitor sees, hears and can do."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import END, embedding_artifact
from tests.site.engine_server import EngineServer
from tests.site.json_vocabulary import spelled, writer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types app"
)
CHAT = {
    "start": "",
    "roles": {"user": ["", ""], "assistant": ["", ""], "system": ["", ""]},
    "answer": "",
    "system": None,
}
PUT = """async ([src, system]) => {
  await import('/element/index.js');
  document.documentElement.lang = 'en';
  const chat = document.createElement('thistledown-chat');
  if (src) chat.setAttribute('src', src);
  if (system) chat.setAttribute('system', system);
  globalThis.told = [];
  for (const name of ['ready', 'answer', 'problem']) chat.addEventListener(name, () => told.push(name));
  const main = document.createElement('main');
  const title = document.createElement('h1');
  title.textContent = 'A page';
  main.append(title, chat);
  document.body.replaceChildren(main);
}"""
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('; ')}`)"""


@pytest.fixture
def page(engine_page: EnginePage, engine_server: EngineServer) -> "Page":
    engine_server.policies["/"] = POLICY
    engine_page.page.goto(engine_server.origin)
    return engine_page.page


def put(page: "Page", src: str | None, system: str | None = None) -> None:
    page.evaluate(PUT, [src, system])


def test_a_visitor_loads_asks_and_is_answered(page: "Page", engine_server: EngineServer) -> None:
    script = [0] * 2 + [*spelled("ab <b>€"), END]
    url = engine_server.add("writer", writer(script, chat=CHAT).files())
    put(page, url, "c")
    status = page.get_by_role("status")
    load = page.get_by_role("button", name="Load Tiny")
    expect(load).to_contain_text("MB")
    assert engine_server.weights_seen() == [], "nothing is fetched unasked"
    assert page.get_by_label("Message").is_hidden()
    load.click()
    expect(status).to_have_text("The model is ready.")
    expect(page.get_by_label("Message")).to_be_focused()
    page.keyboard.type("ab")
    page.keyboard.press("Enter")
    log = page.get_by_role("log")
    expect(status).to_have_text("The answer is complete.")
    expect(log).to_contain_text("You: ab")
    expect(log).to_contain_text("Model: ab <b>€")
    assert log.get_attribute("aria-live") == "polite"
    expect(page.get_by_label("Message")).to_be_focused()
    assert page.evaluate("told") == ["ready", "answer"]
    messages = page.evaluate("document.querySelector('thistledown-chat').messages")
    assert [message["role"] for message in messages] == ["system", "user", "assistant"]
    assert messages[-1]["content"] == "ab <b>€"
    page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate(RUN_AXE) == []


def test_an_answer_can_be_stopped_and_the_log_is_silent_meanwhile(
    page: "Page", engine_server: EngineServer
) -> None:
    artifact = writer([*spelled("a")], chat=CHAT)
    put(page, engine_server.add("endless", artifact.files()))
    page.get_by_role("button", name="Load Tiny").click()
    page.evaluate("""() => {
      const { shadowRoot } = document.querySelector('thistledown-chat');
      const log = shadowRoot.querySelector('[role=log]');
      globalThis.seen = [];
      new MutationObserver(() => {
        seen.push(log.getAttribute('aria-live'));
        if (log.textContent.endsWith('aaa')) shadowRoot.querySelectorAll('button')[2].click();
      }).observe(log, { subtree: true, characterData: true });
    }""")
    page.get_by_label("Message").fill("b")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_have_text("The answer is complete.")
    assert set(page.evaluate("seen")) == {"off"}
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    expect(page.get_by_role("button", name="Send")).to_be_enabled()


@pytest.mark.parametrize("case", ["no src", "embedder", "no template", "missing"])
def test_what_cannot_chat_says_why(page: "Page", engine_server: EngineServer, case: str) -> None:
    src = {
        "no src": None,
        "embedder": engine_server.add("embedder", embedding_artifact().files()),
        "no template": engine_server.add("plain", writer([END]).files()),
        "missing": "/models/gone/",
    }[case]
    words = {
        "no src": "no src",
        "embedder": "sentence-embedding",
        "no template": "no chat template",
        "missing": "404",
    }
    put(page, src)
    expect(page.get_by_role("status")).to_contain_text(words[case])
    assert page.get_by_role("button").count() == 0
    assert page.evaluate("told") == ["problem"]


def test_a_removed_element_frees_its_model(page: "Page", engine_server: EngineServer) -> None:
    put(page, engine_server.add("writer", writer([*spelled("a"), END], chat=CHAT).files()))
    page.get_by_role("button", name="Load Tiny").click()
    expect(page.get_by_role("status")).to_have_text("The model is ready.")
    code = page.evaluate("""async () => {
      const chat = document.querySelector('thistledown-chat');
      const { model } = chat;
      chat.remove();
      const answer = model.generate('a');
      return [chat.model, await answer.next().then(() => null, (error) => error.code)];
    }""")
    assert code == [None, "UNLOADED"]


def test_a_lost_model_can_be_loaded_again_and_the_conversation_goes_on(
    page: "Page", engine_server: EngineServer
) -> None:
    put(page, engine_server.add("writer", writer([*spelled("a"), END], chat=CHAT).files()))
    load = page.get_by_role("button", name="Load Tiny")
    message = page.get_by_label("Message")
    load.click()
    page.evaluate("""() => {
      const chat = document.querySelector('thistledown-chat');
      chat.addEventListener('ready', () => void chat.model.unload(), { once: true });
    }""")
    expect(message).to_be_focused()
    message.fill("b")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Load it again")
    expect(load).to_be_focused()
    load.click()
    expect(message).to_be_focused()
    message.fill("b")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("The answer is complete.")
    page.evaluate("document.querySelector('thistledown-chat').removeAttribute('src')")
    expect(page.get_by_role("status")).to_contain_text("no src")
    expect(load).to_be_hidden()
