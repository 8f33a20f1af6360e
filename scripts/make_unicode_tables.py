"""Write site/engine/tokenizer/unicode_tables.js: what the reference tokenizers know of Unicode, asked of them.

Only `unnormalized` needs a browser beside them: it lists what browsers normalize and the reference does not.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from tokenizers import Regex, normalizers, pre_tokenizers

from scripts.programs import find_chromium

TARGET = Path(__file__).parents[1] / "site" / "engine" / "tokenizer" / "unicode_tables.js"
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
HIGH, LOW = (
    "\u0315",
    "\u0334",
)  # marks of combining classes 232 and 1: a mark next to one of them changes places
ASK_BROWSER = """codePoints => codePoints.map((c) => {
  const text = String.fromCodePoint(c);
  const forms = ['NFC', 'NFD', 'NFKC', 'NFKD'].map((form) => text.normalize(form));
  return [forms, ('\\u0315' + text).normalize('NFD'), (text + '\\u0334').normalize('NFD')];
})"""


def removed_by(pre_tokenizer: Any) -> set[int]:
    """What a pre-tokenizer cuts out of the text of all code points."""
    text = "".join(map(chr, CODE_POINTS))
    kept: set[int] = set()
    for _, (start, end) in pre_tokenizer.pre_tokenize_str(text):
        kept.update(range(start, end))
    return {c for i, c in enumerate(CODE_POINTS) if i not in kept}


def split_off_by(pre_tokenizer: Any) -> set[int]:
    """What a pre-tokenizer takes for something else than a letter."""
    return {c for c in CODE_POINTS if len(pre_tokenizer.pre_tokenize_str(f"a{chr(c)}a")) > 1}


def changed_by(normalizer: Any, suits: Callable[[str, str], bool]) -> set[int]:
    return {c for c in CODE_POINTS if suits(chr(c), normalizer.normalize_str(chr(c)))}


def lowered_by(distance: int, among: set[int]) -> set[int]:
    lower = normalizers.Lowercase()
    return {c for c in among if ord(lower.normalize_str(chr(c))) == c + distance}


def unnormalized(unassigned: set[int]) -> set[int]:
    """What a browser decomposes, composes or reorders, and the reference, whose Unicode is older, does not."""
    forms = [normalizers.NFC(), normalizers.NFD(), normalizers.NFKC(), normalizers.NFKD()]
    nfd = normalizers.NFD().normalize_str
    known = [c for c in CODE_POINTS if c not in unassigned]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        answers = browser.new_page().evaluate(ASK_BROWSER, known)
        browser.close()
    found: set[int] = set()
    for c, (browser_forms, after_high, before_low) in zip(known, answers, strict=True):
        text = chr(c)
        decomposes = browser_forms != [form.normalize_str(text) for form in forms]
        reorders = (after_high, before_low) != (nfd(HIGH + text), nfd(text + LOW))
        if decomposes or reorders:
            found |= {c} if browser_forms[1] == text else {c, ord(browser_forms[1][0])}
    return found


def encoded(members: Iterable[int]) -> str:
    """Base 36, in pairs: how many code points to pass over, and how many follow the first of a range."""
    ranges: list[list[int]] = []
    for c in sorted(members):
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    numbers, following = [], 0
    for first, last in ranges:
        numbers += [first - following, last - first]
        following = last + 1
    return " ".join(map(base36, numbers))


def base36(number: int) -> str:
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def tables() -> dict[str, set[int]]:
    cleaned = normalizers.BertNormalizer(True, False, False, False)
    bare = normalizers.BertNormalizer(False, False, True, False)
    unassigned = removed_by(pre_tokenizers.Split(Regex(r"\p{Cn}"), "removed"))
    return {
        "unassigned": unassigned,
        "unnormalized": unnormalized(unassigned),
        "lowerBy1": lowered_by(1, unassigned),
        "lowerBy27": lowered_by(27, unassigned),
        "punctuation": split_off_by(pre_tokenizers.Punctuation()),
        "numeric": split_off_by(pre_tokenizers.Digits(individual_digits=True)),
        "control": changed_by(cleaned, lambda _, after: after == "") - {0, 0xFFFD},
        "nonspacing": changed_by(bare, lambda _, after: after == ""),
        "combining": changed_by(normalizers.StripAccents(), lambda _, after: after == ""),
    }


def main() -> None:
    found = tables()
    lines = [f"  {name}: {json.dumps(encoded(members))}," for name, members in found.items()]
    TARGET.write_text(
        "/** Written by scripts/make_unicode_tables.py; `encoded` there says how. */\n\n"
        + "export const TABLES = {\n"
        + "\n".join(lines)
        + "\n};\n"
    )
    for name, members in found.items():
        print(f"{name}: {len(members)} code points")


if __name__ == "__main__":
    main()
