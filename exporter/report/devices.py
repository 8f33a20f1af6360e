"""Three devices that visitors have, for the time to a first result: assumptions, as no visitor's device was timed."""

from dataclasses import dataclass

# So much of what a data sheet states is assumed to be reached.
_OF_ARITHMETIC, _OF_BANDWIDTH = 0.1, 0.5
ASSUMED = (
    f"No device was timed: {_OF_ARITHMETIC:.0%} of a data sheet's arithmetic and {_OF_BANDWIDTH:.0%} of its bandwidth "
    "are assumed to be reached"
)


@dataclass(frozen=True)
class Device:
    """What a GPU is assumed to do: operations and bytes a second; seconds for a dispatch, for compiling a pipeline."""

    name: str
    flop_per_second: float
    bytes_per_second: float
    dispatch_seconds: float
    compile_seconds: float
    source: str


def _by_data_sheet(
    name: str, flop: float, memory: float, dispatch: float, compiling: float, gpu: str
) -> Device:
    source = f"{gpu}, {flop / 1e9:,.0f} GFLOP/s, {memory / 1e9:g} GB/s"
    return Device(name, _OF_ARITHMETIC * flop, _OF_BANDWIDTH * memory, dispatch, compiling, source)


DEVICES = (
    _by_data_sheet("phone", 250e9, 17e9, 50e-6, 0.03, "Mali-G57 MC2"),
    _by_data_sheet("laptop", 420e9, 38e9, 30e-6, 0.02, "Intel UHD Graphics 620"),
    _by_data_sheet("desktop", 12_700e9, 360e9, 20e-6, 0.01, "GeForce RTX 3060"),
)
