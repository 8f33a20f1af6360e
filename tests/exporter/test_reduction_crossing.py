"""Templates crossed with others name each field once, and say what their halves said."""

import random

from exporter.reduction.extraction.crossing import by_slot, crossed
from exporter.reduction.extraction.language_files import Template, language
from exporter.reduction.extraction.schema import KINDS, LANGUAGES

FIRST = Template(
    "order", ("Please send ", "product", " to us by ", "delivery", "."), ("product", "delivery"), False
)
OTHER = Template("order", ("Is ", "product", " sold in ", "color", "?"), ("product", "color"), False)


def test_a_message_begins_as_one_and_goes_on_as_another() -> None:
    found = {crossed(FIRST, by_slot([OTHER, FIRST]), random.Random(seed)) for seed in range(40)}
    assert found == {
        FIRST,
        Template(
            "order", ("Please send ", "product", " sold in ", "color", "?"), ("product", "color"), False
        ),
    }


def test_a_template_that_would_name_a_field_twice_stays_as_it_is() -> None:
    turned = Template("order", ("In ", "color", ": ", "product", "!"), ("color", "product"), False)
    assert {
        crossed(turned, by_slot([OTHER]) | {"color": [(turned, 1)]}, random.Random(seed))
        for seed in range(40)
    } == {turned}


def test_crossed_templates_are_sound_in_every_language() -> None:
    source = random.Random(0)
    for code in LANGUAGES:
        for kind in KINDS:
            own = [each for each in language(code).templates if each.kind == kind and not each.held_out]
            slots = by_slot(own)
            made = [crossed(source.choice(own), slots, source) for _ in range(100)]
            for each in made:
                assert [name.split(".")[0] for name in each.parts[1::2]] == list(each.fields)
                assert len(set(each.fields)) == len(each.fields)
                assert len(each.parts) % 2 == 1
            assert sum(each not in own for each in made) > 50
