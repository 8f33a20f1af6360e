"""What the extraction model knows: kinds of messages, and the fields that each may hold."""

from collections.abc import Mapping

KINDS: Mapping[str, tuple[str, ...]] = {
    "appointment": ("person", "service", "date", "time", "place", "phone"),
    "invoice": ("item", "quantity", "unit", "unit_price", "total", "vat"),
    "contact": ("person", "phone", "email", "company", "position", "website"),
    "order": ("order_number", "product", "quantity", "color", "size", "delivery"),
    "address": ("street", "house", "apartment", "postcode", "city", "country"),
}
# Kinds that the model is not trained on: an adapter teaches them.
ADDED_KINDS: Mapping[str, tuple[str, ...]] = {
    "trip": ("origin", "destination", "date", "time", "carrier", "seat"),
}
ALL_KINDS: Mapping[str, tuple[str, ...]] = {**KINDS, **ADDED_KINDS}
LANGUAGES = ("en", "uk", "pl", "ru")


def all_fields() -> tuple[str, ...]:
    """Every field of KINDS once, in their order."""
    return tuple(dict.fromkeys(field for fields in KINDS.values() for field in fields))
