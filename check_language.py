"""Checks one language's files: python check_language.py en"""
import json, re, sys, random
from pathlib import Path

FIELDS = {
    "appointment": ["person", "service", "date", "time", "place", "phone"],
    "invoice": ["item", "quantity", "unit", "unit_price", "total", "vat"],
    "contact": ["person", "phone", "email", "company", "position", "website"],
    "order": ["order_number", "product", "quantity", "color", "size", "delivery"],
    "address": ["street", "house", "apartment", "postcode", "city", "country"],
}
MADE = {"person", "phone", "email", "company", "website", "street", "house", "apartment", "postcode", "city", "country", "position", "unit_price", "total", "order_number", "time", "date"}
SLOT = re.compile(r"\{([a-z_]+)((?:\.[a-z0-9_]+)?)\}")
MACRO = re.compile(r"<([^<>]*)>")
lang = sys.argv[1]
root = Path(__file__).parent / "exporter/reduction/extraction/language" / lang
bad = 0

def complain(*words):
    global bad
    bad += 1
    if bad < 40: print("!", *words)

pools = json.loads((root / "values.json").read_text(encoding="utf-8"))
for name, values in pools.items():
    if not re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)?", name): complain("pool name", name)
    if name.split(".")[0] not in sum(FIELDS.values(), []): complain("pool of no field", name)
    if len(values) != len(set(values)): complain("doubles in", name, [v for v in values if values.count(v) > 1][:3])
    if len(values) < 15: complain("pool", name, "has only", len(values))
    for v in values:
        for m in MACRO.findall(v):
            if not re.fullmatch(r"\d+-\d+|[^|]+(\|[^|]+)+", m): complain("macro", v)
templates, kind, seen = {}, None, set()
for n, line in enumerate((root / "templates.txt").read_text(encoding="utf-8").splitlines(), 1):
    if not line.strip() or line.startswith("#"): continue
    if m := re.fullmatch(r"\[(\w+)\]", line):
        kind = m[1]
        if kind not in FIELDS: complain(n, "no such type", kind)
        continue
    text = line.removeprefix("! ")
    if text in seen: complain(n, "twice", text)
    seen.add(text)
    slots = SLOT.findall(text)
    names = [s for s, _ in slots]
    if len(set(names)) != len(names): complain(n, "a field twice:", text)
    for s, c in slots:
        if s not in FIELDS[kind]: complain(n, s, "is no field of", kind, ":", text)
        if s + c not in pools and not (c == "" and s in MADE): complain(n, "no pool", s + c)
    if "{" in SLOT.sub("", text) or "}" in SLOT.sub("", text): complain(n, "braces", text)
    templates.setdefault(kind, []).append((line.startswith("! "), set(names)))
for kind, fields in FIELDS.items():
    own = templates.get(kind, [])
    held = sum(h for h, _ in own)
    print(f"{kind}: {len(own)} templates, {held} held out;", ", ".join(f"{f} {sum(f in s for _, s in own)}" for f in fields))
    if len(own) < 60: complain(kind, "has fewer than 60 templates")
    if not 8 <= held <= 20: complain(kind, "has", held, "held out, wanted 10 to 15")
fillers = [l for l in (root / "fillers.txt").read_text(encoding="utf-8").splitlines() if l.strip()]
print(len(fillers), "fillers")
if len(fillers) < 60: complain("fewer than 60 fillers")
counts = {}
messages = set()
for n, line in enumerate((root / "handwritten.jsonl").read_text(encoding="utf-8").splitlines(), 1):
    row = json.loads(line)
    kind, message, values = row["type"], row["message"], row["values"]
    if set(row) != {"type", "message", "values"}: complain("handwritten", n, "keys")
    if list(values) != FIELDS[kind]: complain("handwritten", n, "fields", list(values))
    for f, v in values.items():
        if v is not None and (not v or v != v.strip() or v not in message): complain("handwritten", n, f, repr(v), "is not in the message")
    if all(v is None for v in values.values()): complain("handwritten", n, "says nothing")
    if message in messages: complain("handwritten", n, "twice")
    messages.add(message)
    counts[kind] = counts.get(kind, 0) + 1
print("handwritten", counts, sum(counts.values()))
for kind in FIELDS:
    if counts.get(kind, 0) < 22: complain("handwritten", kind, "fewer than 22")
print("OK" if not bad else f"{bad} faults")
