"""Six networks that visitors are on, and how long a download takes on each: a prediction, not a measurement."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

# A browser opens so many connections to a server that speaks HTTP/1.1, as `thistledown serve` does.
CONNECTIONS = 6
# Bytes of an answer's head: 793 of one with a body and 693 of a 304, where the server is ours.
HEAD = 760


@dataclass(frozen=True)
class Network:
    """Bits a second towards the visitor, seconds from a request to its answer, and whose numbers these are."""

    name: str
    bits_per_second: int
    round_trip: float
    source: str


@dataclass(frozen=True)
class Trip:
    """A download: bytes of bodies, how many requests must wait for the answer of one before them, and of how many."""

    travels: int
    rounds: int
    requests: int = 0


NETWORKS = (
    Network("Slow 3G", 400_000, 2.0, 'Chrome DevTools, "3G" (before 2024 "Slow 3G")'),
    Network("Fast 3G", 1_440_000, 0.5625, 'Chrome DevTools, "Slow 4G" (before 2024 "Fast 3G")'),
    Network("Slow 4G", 1_638_400, 0.15, 'Lighthouse, "Slow 4G throttling", simulated'),
    Network("Fast 4G", 8_100_000, 0.165, 'Chrome DevTools, "Fast 4G"'),
    Network("Wi-Fi", 30_000_000, 0.002, 'Chrome DevTools before 2017, "WiFi"'),
    Network("fibre", 300_000_000, 0.005, "round numbers of ours"),
)


def seconds(trip: Trip, network: Network) -> float:
    """Predicted time of `trip`: its bytes at the network's rate, and a round trip for each request that waits."""
    travels = trip.travels + trip.requests * HEAD
    return 8 * travels / network.bits_per_second + trip.rounds * network.round_trip


def rounds_of(levels: Sequence[Sequence[str]]) -> int:
    """Round trips for files that a browser learns of level by level and fetches over CONNECTIONS connections."""
    return sum(ceil(len(level) / CONNECTIONS) for level in levels)
