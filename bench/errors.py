"""What goes wrong with a measurement: the thing, the place and the remedy."""


class BenchError(Exception):
    """A measurement that cannot be made; the text says what to do about it."""

    exit_code = 2

    def __init__(self, thing: str, place: str, remedy: str) -> None:
        self.place = place
        super().__init__(f"{thing}: {place}. {remedy}")
