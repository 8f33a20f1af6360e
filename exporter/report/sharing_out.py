"""Sharing out a number of bytes, so that the shares are whole and sum to it."""

from collections.abc import Sequence


def apportion(total: int, weights: Sequence[int]) -> Sequence[int]:
    """Whole numbers in proportion to `weights` that sum to `total`: rounded down, the largest remainders one more."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(total * weights[i] % whole))
    for index in by_remainder[: total - sum(shares)]:
        shares[index] += 1
    return shares
