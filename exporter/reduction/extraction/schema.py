"""What the extraction model knows: kinds of messages, and the fields that each may hold."""

from collections.abc import Mapping

KINDS: Mapping[str, tuple[str, ...]] = {
    "appointment": ("person", "service", "date", "time", "place", "phone"),
    "invoice": ("item", "quantity", "unit", "unit_price", "total", "vat"),
    "contact": ("person", "phone", "email", "company", "position", "website"),
    "order": ("order_number", "product", "quantity", "color", "size", "delivery"),
    "address": ("street", "house", "apartment", "postcode", "city", "country"),
}
LANGUAGES = ("en", "uk", "pl", "ru")


def all_fields() -> tuple[str, ...]:
    """Every field once, in the order of the kinds."""
    return tuple(dict.fromkeys(field for fields in KINDS.values() for field in fields))
