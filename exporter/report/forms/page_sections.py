"""The sections of the report's page."""

from collections.abc import Sequence

from exporter.report.analysis import Analysis
from exporter.report.attribution import Piece, group_by
from exporter.report.difference import Difference
from exporter.report.forms.charts import falling, pareto
from exporter.report.forms.markdown import told_saved
from exporter.report.forms.markup import bar, html_table, key, plot, text
from exporter.report.forms.tables import (
    FILE_HEADINGS,
    MOVER_HEADINGS,
    ROLE_HEADINGS,
    STEP_HEADINGS,
    WEIGHT_HEADINGS,
    changed_roles,
    entropy_note,
    file_rows,
    mover_rows,
    network_rows,
    result_note,
    result_rows,
    result_words,
    role_rows,
    situation_rows,
    step_rows,
    total_rows,
    weight_rows,
)
from exporter.report.forms.what_if_table import BEST, BEST_MEANS, quality_heading, what_if_note, what_if_rows
from exporter.report.forms.words import layer_of, percent, short_name, signed
from exporter.report.networks import NETWORKS
from exporter.report.weights import Weight
from exporter.sizes import human

# A page of at most 200 kB has room for so many; JSON has all.
_MOST_WEIGHTS, _MOST_LAYERS, _MOST_MOVERS = 400, 120, 200


def facts(analysis: Analysis) -> str:
    """What a newcomer wants to know first."""
    report, tier = analysis.report, analysis.report.tier
    weights = percent(report.totals["weights"]["travels"] or 0, report.first_visit)
    shown = [
        (situation.name, situation.trips[tier].travels, situation.note)
        for situation in analysis.situations
        if tier in situation.trips and situation.name != "first visit"
    ]
    memory = analysis.memory[tier]["total"]
    cards = [
        _card(
            "first visit", human(report.first_visit), f"{report.first_visit:,} bytes, {weights} of it weights"
        ),
        *(_card(name, human(size), note) for name, size, note in shown),
        _card("GPU memory", human(memory), f"{memory:,} bytes, tier {tier}"),
    ]
    explained = f"All {analysis.attribution.folder_bytes:,} bytes of the folder are explained, 0 left over."
    return f'<dl class="facts">{"".join(cards)}</dl><p>{text(explained)} {text(told_saved(report))}</p>'


def _card(name: str, value: str, note: str) -> str:
    return f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd><dd>{text(note)}</dd></div>"


TREEMAP = """<section id="map" hidden><h2>Where the bytes are</h2>
<p id="help">Arrow keys move between tiles, Enter zooms in, Escape or Backspace zooms out.
The same numbers are in the <a href="#roles">tables</a> below.</p>
<div class="row"><nav aria-label="Zoomed in to"><ol id="crumbs"></ol></nav>
<fieldset><legend>Which bytes</legend>
<label><input type="radio" name="counted" value="visit" checked>First visit</label>
<label><input type="radio" name="counted" value="all">All files</label></fieldset></div>
<div id="stage" role="group" aria-label="Treemap" aria-describedby="help"></div>
<p id="told" class="soft" role="status"></p></section>"""


def roles(analysis: Analysis) -> str:
    """Bytes by role."""
    names = [share.name for share in analysis.attribution.roles]
    rows = role_rows(analysis)
    caption = "Bytes of a first visit, and of all files, by role"
    return f'<section id="roles"><h2>By role</h2>{html_table(caption, ROLE_HEADINGS, rows, 1, roles=names)}</section>'


def layers(analysis: Analysis) -> str:
    """A bar a layer, by role."""
    pieces = [piece for piece in analysis.attribution.pieces if piece.part]
    found: dict[str, list[Piece]] = {}
    for piece in sorted(pieces, key=lambda piece: -1 if piece.layer is None else piece.layer):
        found.setdefault(layer_of(piece).removeprefix("weights "), []).append(piece)
    shown = list(found.items())[:_MOST_LAYERS]
    widest = max((sum(piece.bytes for piece in held) for _, held in shown), default=1)
    rows = [_layer_bar(name, held, widest) for name, held in shown]
    used = dict.fromkeys(piece.role for piece in pieces)
    marks = key([(f"role-{role}", role) for role in used])
    return f"<section><h2>By layer</h2>{marks}{plot(rows)}</section>"


def _layer_bar(name: str, pieces: Sequence[Piece], widest: int) -> tuple[str, str, str]:
    sizes = {role: sum(p.bytes for p in held) for (role,), held in group_by(pieces, "role").items()}
    drawn = bar([(f"role-{role}", size) for role, size in sorted(sizes.items())], widest)
    return name, drawn, f"{sum(sizes.values()):,}"


def entropy(analysis: Analysis) -> str:
    """Of what is shipped, the part that a coder could not save, and the gap; the roles with most bytes first."""
    groups: dict[tuple[str, str], list[Weight]] = {}
    for weight in analysis.weights:
        groups.setdefault((weight.role, weight.scheme), []).append(weight)
    largest = sorted(groups.items(), key=lambda group: -sum(weight.bytes for weight in group[1]))
    rows = [_entropy_bar(role, scheme, weights) for (role, scheme), weights in largest]
    marks = key([("role-mlp", "order-0 entropy"), ("gap", "the gap to what is shipped")])
    note = f"<p>{text(entropy_note(analysis))}</p>"
    return f"<section><h2>What a perfect coder could save</h2>{note}{marks}{plot(rows)}</section>"


def _entropy_bar(role: str, scheme: str, weights: Sequence[Weight]) -> tuple[str, str, str]:
    shipped = 8 * sum(weight.shipped for weight in weights)
    least = sum(weight.entropy_bits for weight in weights)
    count = max(1, sum(weight.parameters for weight in weights))
    drawn = bar([(f"role-{role}", least), ("gap", shipped - least)], shipped)
    return f"{role}, {scheme}", drawn, f"{least / count:.2f} of {shipped / count:.2f} bits"


def situations(analysis: Analysis) -> str:
    """What visitors download, and how long that takes."""
    headings, rows = situation_rows(analysis)
    networks, times = network_rows(analysis)
    sources = "; ".join(f"{network.name}: {network.source}" for network in NETWORKS)
    visits = html_table("Bytes that travel, for each tier of device", headings, rows, 1, sortable=False)
    predicted = html_table("Predicted time to download", networks, times, 2, sortable=False)
    note = f'<p class="soft">Bytes at the rate, and a round trip for each request that waits. {text(sources)}.</p>'
    results = html_table(result_words(analysis), *result_rows(analysis), 1, sortable=False)
    assumed = f'<p class="soft">{text(result_note())}</p>'
    return f"<section><h2>Situations</h2>{visits}{predicted}{note}{results}{assumed}</section>"


def waterfall(analysis: Analysis) -> str:
    """How the model came down to what travels."""
    steps = analysis.waterfall
    table = html_table("The same steps", STEP_HEADINGS, step_rows(steps), 1, sortable=False)
    origin = analysis.pruned_from
    cut = f"<p>The checkpoint was cut from {text(origin.name)}.</p>" if origin else ""
    return f"<section><h2>From the weights to the wire</h2>{cut}{falling(steps)}{table}</section>"


def what_if(analysis: Analysis) -> str:
    """Other schemes: a drawing and a table; nothing where nobody measured them."""
    found = analysis.what_if
    if found is None:
        return ""
    headings, rows = what_if_rows(found, analysis.report)
    caption = "Bytes of a first visit, GPU memory and quality of each scheme"
    table = html_table(caption, headings, rows, 1)
    marks = key([("own", "this one"), ("best", BEST), ("beaten", "the others")])
    head = f"<h2>What other schemes would cost and keep</h2><p>{text(what_if_note(found))} {text(BEST_MEANS)}</p>"
    axes = f"To the right: bytes of a first visit. Upwards: {quality_heading(found)}."
    drawn = f'<p class="soft">{axes}</p>{marks}{pareto(found, analysis.report)}'
    return f'<section id="what-if">{head}{drawn}{table}</section>'


def difference(found: Difference | None) -> str:
    """What changed since another build; nothing where none is given."""
    if found is None:
        return ""
    visit, folder = found.new_visit - found.old_visit, found.new_folder - found.old_folder
    files = ", ".join(f"{short_name(name)} ({size:,} bytes)" for name, size in found.fetched.items())
    words = (
        f"First visit {signed(visit)} bytes, folder {signed(folder)} bytes. "
        f"A visitor of the other build fetches {found.update:,} bytes: {files or 'nothing'}."
    )
    roles_changed = mover_rows(changed_roles(found))
    by_role = html_table("Changes by role", MOVER_HEADINGS, roles_changed, 2, sortable=False)
    movers = html_table("Largest changes", MOVER_HEADINGS, mover_rows(found.movers[:_MOST_MOVERS]), 2)
    head = f"<h2>Compared with {text(found.old_name)}</h2><p>{text(words)}</p>"
    return f"<section>{head}{by_role}{movers}</section>"


def files(analysis: Analysis) -> str:
    """Each file, those of the site by folder."""
    report = analysis.report
    caption = "Files: as they are, as gzip, as brotli, and as they travel"
    table = html_table(caption, FILE_HEADINGS, file_rows(report), 3, totals=total_rows(report))
    return f"<section><h2>Files</h2>{table}</section>"


def weights(analysis: Analysis) -> str:
    """Each weight, or the largest of them."""
    found = sorted(analysis.weights, key=lambda weight: -weight.bytes)
    shown = found[:_MOST_WEIGHTS]
    rest = len(found) - len(shown)
    more = f"; {rest} smaller ones are in the JSON form" if rest else ""
    caption = f"Bits per weight as shipped, by order-0 entropy, and the gap{more}"
    roles_of = [weight.role for weight in shown]
    table = html_table(caption, WEIGHT_HEADINGS, weight_rows(shown), 3, roles=roles_of)
    return f"<section><h2>Weights</h2>{table}</section>"
