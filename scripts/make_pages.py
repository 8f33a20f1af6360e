"""Write the frame of every page of the site, and its English: head, navigation, settings, footer; and the manifest.

A page's own HTML is its <main>, which stays; the words of elements marked with `data-text` come from app/texts. A page
whose name is a folder there fetches the words in it beside those that all pages share.
The manifest is what a browser shows of the site as an installed app.
Links ask for the scripts that the page will need, as scripts/build_site.mjs has put them together.
A new page is a row in `PAGES`, its texts, and a file with a <main>. Run `make site` after a change to any of them.
"""

import json
import posixpath
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent / "site"
TEXTS = SITE / "app" / "texts"


@dataclass(frozen=True)
class Page:
    """A page: its file, the prefix of its texts, what it loads beside the frame, and which navigation leads to it."""

    path: str
    name: str
    script: str
    styles: tuple[str, ...] = ()
    in_footer: bool = False

    @property
    def root(self) -> str:
        """The way from the page's folder to the site's."""
        return "../" * self.path.count("/")

    @property
    def own_texts(self) -> str:
        """The attribute that app/texts.js reads."""
        return f' data-texts="{self.name}"' if (TEXTS / self.name).is_dir() else ""


PAGES = (
    Page("index.html", "index", "app/landing.js"),
    Page("generate.html", "generate", "app/generate.js", styles=("markdown.css",)),
    Page("chat.html", "chat", "app/chat/chat.js", styles=("markdown.css", "chat.css")),
    Page("search.html", "search", "app/search.js"),
    Page("classify.html", "classify", "app/classify/classify.js", styles=("classify.css",)),
    Page("extract.html", "extract", "app/extract.js"),
    Page("bench/index.html", "bench", "bench/bench.js", styles=("bench/bench.css",)),
    Page("sizes.html", "sizes", "app/sizes/sizes.js", styles=("sizes.css",), in_footer=True),
    Page("storage.html", "storage", "app/storage/storage.js", styles=("storage.css",), in_footer=True),
    Page("about.html", "about", "app/about.js", in_footer=True),
)
LANGUAGES = ("en", "uk", "pl", "ru")
THEMES = ("system", "light", "dark")

PAPER = {"light": "#fbfaf8", "dark": "#161419"}  # --paper of style.css: the colour of a window's frame
ICONS = (
    {"src": "favicon.svg", "sizes": "any", "type": "image/svg+xml"},
    {"src": "icons/192.png", "sizes": "192x192", "type": "image/png"},
    {"src": "icons/512.png", "sizes": "512x512", "type": "image/png"},
    {"src": "icons/maskable.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types app offline"
)
DOOR = "engine/index.js"
OFFLINE = "app/offline.js"
CATALOGUE_MODULE = "app/catalogue.js"
IMPORTED = re.compile(r"^(?:import|export)\b[^'\";]*'(\.[^']+)'", re.MULTILINE)
BUILT_IMPORT = re.compile(r"""\b(?:from|import)\s*["'](\.[^"']+)["']""")
MAIN = re.compile(r"^  <main .*?^  </main>\n", re.MULTILINE | re.DOTALL)
MARKED = re.compile(r'(<(\w+)\b[^>]*\bdata-text="([\w.-]+)"[^>]*>)[^<]*(</\2>)')
MARKED_ATTRIBUTE = re.compile(r'(\bdata-text-([a-z-]+)="([\w.-]+)")(?: \2="[^"]*")?')

FRAME = """<!doctype html>
<html lang="en"{own_texts}>
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="{policy}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <meta name="description" data-text-content="{name}.description">
  <title data-text="{name}.title"></title>
  <link rel="icon" href="{root}favicon.svg">
  <link rel="manifest" href="{root}manifest.webmanifest">
{frames}
  <link rel="stylesheet" href="{root}style.css">
{ahead}  <script src="{root}app/preferences.js"{data}></script>
{styles}{behind}  <script type="module" src="{script}"></script>
  <script type="module" src="{root}{offline}"></script>
</head>
<body>
  <a class="skip" href="#main" data-text="site.skip"></a>
  <header class="site-header">
    <a class="brand" href="{root}index.html" translate="no">
      <img src="{root}favicon.svg" alt="" width="28" height="28">Thistledown
    </a>
    <details class="settings">
      <summary>
        <span class="visually-hidden" data-text="site.settings"></span>
        <span data-text="site.language.name"></span>
      </summary>
      <div>
        <p id="languages" data-text="site.language"></p>
        <ul aria-labelledby="languages">
{languages}
        </ul>
        <fieldset>
          <legend data-text="site.theme"></legend>
{themes}
        </fieldset>
      </div>
    </details>
    <nav data-text-aria-label="site.pages">
      <ul>
{links}
      </ul>
    </nav>
  </header>
  <noscript>
    <p class="notice">These pages need JavaScript: the model runs in your browser, not on a server.</p>
  </noscript>
{main}  <footer class="site-footer">
    <p data-text="site.footer"></p>
    <nav data-text-aria-label="site.more">
      <ul>
{footer_links}
      </ul>
    </nav>
  </footer>
  <p id="status" class="visually-hidden" role="status"></p>
</body>
</html>
"""


def texts(language: str) -> dict[str, str | dict[str, str]]:
    """All of a language: key to text, or to one text for each plural category."""
    return {key: found for path in text_files(language) for key, found in _read(path).items()}


def text_files(language: str) -> list[Path]:
    """What all pages share, then the words of single pages."""
    name = f"{language}.json"
    return [TEXTS / name, *sorted(TEXTS.glob(f"*/{name}"))]


def _read(path: Path) -> dict[str, str | dict[str, str]]:
    return json.loads(path.read_text("utf-8"))  # type: ignore[no-any-return]


def render(page: Page) -> str:
    """The whole page around the <main> that its file has now."""
    main = MAIN.search((SITE / page.path).read_text("utf-8"))
    if main is None:
        raise ValueError(f"{page.path} has no <main>: give it one, indented by two spaces")
    needed = _scripts_of(page)
    return _in_english(
        FRAME.format(
            policy=POLICY,
            name=page.name,
            own_texts=page.own_texts,
            root=page.root,
            frames="\n".join(map(_frame, PAPER)),
            styles="".join(f'  <link rel="stylesheet" href="{page.root}{each}">\n' for each in page.styles),
            ahead="".join(_link_to(page, name) for name in needed if name != DOOR),
            behind="".join(_link_to(page, name) for name in needed if name == DOOR),
            offline=OFFLINE,
            data=" data-models" if _lists_models(page) else "",
            script=page.root + page.script,
            languages="\n".join(map(_language, LANGUAGES)),
            themes="\n".join(map(_theme, THEMES)),
            links="\n".join(_link(other, page) for other in PAGES if not other.in_footer),
            footer_links="\n".join(_link(other, page) for other in PAGES if other.in_footer),
            main=main[0],
        )
    )


def _scripts_of(page: Page) -> list[str]:
    """The scripts that come with the page's own.

    The first script of a page holds its reader up, and what stands behind it waits for a second round of requests; so
    the engine, which is needed last, is linked to there, and a connection is left for the styles.
    """
    own = (page.script, OFFLINE)
    found = list(own)
    for name in found:
        found += [other for other in _at_once(name) if other not in found]
    return sorted(set(found) - set(own))


def _at_once(name: str) -> list[str]:
    """What a built script imports before it runs."""
    specifiers = BUILT_IMPORT.findall((SITE / "built" / name).read_text("utf-8"))
    return [posixpath.normpath(posixpath.join(posixpath.dirname(name), each)) for each in specifiers]


def _link_to(page: Page, name: str) -> str:
    return f'  <link rel="modulepreload" href="{page.root}{name}">\n'


def _lists_models(page: Page) -> bool:
    """Whether it will ask for the list of models."""
    others = (module for module in modules_of(page.script) if module not in (CATALOGUE_MODULE, DOOR))
    return any("fetchCatalogue(" in (SITE / module).read_text("utf-8") for module in others)


def modules_of(script: str) -> list[str]:
    """The script and all that it imports before it runs, up to the engine's door, as paths in the site."""
    found = [script]
    for module in found:
        if module != DOOR:
            found += [path for path in _imports(module) if path not in found]
    return found


def _imports(module: str) -> list[str]:
    specifiers = IMPORTED.findall((SITE / module).read_text("utf-8"))
    paths = (posixpath.normpath(posixpath.join(posixpath.dirname(module), each)) for each in specifiers)
    return list(dict.fromkeys(paths))


def _link(page: Page, current: Page) -> str:
    mark = ' aria-current="page"' if page == current else ""
    return f'        <li><a href="{current.root}{page.path}"{mark} data-text="nav.{page.name}"></a></li>'


def _frame(scheme: str) -> str:
    media = f"(prefers-color-scheme: {scheme})"
    return f'  <meta name="theme-color" content="{PAPER[scheme]}" media="{media}" data-scheme="{scheme}">'


def _language(tag: str) -> str:
    name = texts(tag)["site.language.name"]
    return f'          <li><a href="?lang={tag}" lang="{tag}">{name}</a></li>'


def _theme(name: str) -> str:
    words = f'<span data-text="site.theme.{name}"></span>'
    return f'          <label class="choice"><input type="radio" name="theme" value="{name}"> {words}</label>'


def _in_english(html: str) -> str:
    english = texts("en")

    def words(key: str) -> str:
        found = english[key]
        if not isinstance(found, str):
            raise ValueError(f"{key} has plural forms, which the page's own HTML cannot choose from")
        return escape(found)

    html = MARKED.sub(lambda match: match[1] + words(match[3]) + match[4], html)
    return MARKED_ATTRIBUTE.sub(lambda match: f'{match[1]} {match[2]}="{words(match[3])}"', html)


def manifest() -> str:
    """manifest.webmanifest; its addresses are relative, so that the site also works below a path."""
    document = {
        "name": "Thistledown",
        "short_name": "Thistledown",
        "description": texts("en")["index.description"],
        "description_localized": {tag: texts(tag)["index.description"] for tag in LANGUAGES},
        "lang": "en",
        "dir": "ltr",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": PAPER["light"],
        "theme_color": PAPER["light"],
        "icons": ICONS,
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def main() -> None:
    (SITE / "manifest.webmanifest").write_text(manifest(), "utf-8")
    for page in PAGES:
        (SITE / page.path).write_text(render(page), "utf-8")


if __name__ == "__main__":
    main()
