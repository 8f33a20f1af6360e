"""What became of a weight."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """What one weight became, and why when it is not what was asked for."""

    name: str
    scheme: str
    reason: str = ""
