"""Write the icons of the installed app from site/favicon.svg: `python -m scripts.make_icons`.

The drawing has segments, circles and one closed curve, all of one colour: how far a pixel is from each of them says how
much of it is covered. So the same picture comes out on any machine, and no program that draws is needed.
"""

import re
import struct
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SITE = Path(__file__).resolve().parent.parent / "site"
ICONS = SITE / "icons"
SIZES = (192, 512)
MASKABLE = 512
PAPER = (0xFB, 0xFA, 0xF8)  # --paper of style.css, in light
SAFE = 0.62  # of a maskable icon's side: what no mask cuts off, with some air
LEVELS = 16  # of coverage; a pixel then has 4 bits
CURVE_STEPS = 24

Points = NDArray[np.float64]
NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
COMMAND = re.compile(r"([MLcvlVZ])([^A-Za-z]*)")


@dataclass(frozen=True)
class Drawing:
    """What favicon.svg draws, in units of its view box of `side` x `side`."""

    side: float
    colour: tuple[int, int, int]
    width: float
    lines: list[Points]
    filled: list[Points]
    circles: list[tuple[float, float, float]]


def read_drawing(svg: str) -> Drawing:
    """Of the kind of favicon.svg: stroked and filled paths of one colour, and circles."""
    colour = re.search(r'stroke="#(\w{6})"', svg)
    side, width = re.search(r'viewBox="0 0 (\S+) \1"', svg), re.search(r'stroke-width="(\S+)"', svg)
    if colour is None or side is None or width is None:
        raise ValueError("favicon.svg has no colour, view box or width of strokes that this script can read")
    paths = [
        (outline(match[1]), "fill=" in match[2]) for match in re.finditer(r'<path d="([^"]+)"([^>]*)/>', svg)
    ]
    red, green, blue = bytes.fromhex(colour[1])
    return Drawing(
        side=float(side[1]),
        colour=(red, green, blue),
        width=float(width[1]),
        lines=[line for lines, _ in paths for line in lines],
        filled=[line for lines, filled in paths if filled for line in lines],
        circles=[
            (float(x), float(y), float(r))
            for x, y, r in re.findall(r'<circle cx="(\S+)" cy="(\S+)" r="(\S+)"', svg)
        ],
    )


def outline(path: str) -> list[Points]:
    """The lines (points, 2) of path data; curves as segments."""
    lines: list[list[Points]] = []
    for command, words in COMMAND.findall(path):
        numbers = [float(number) for number in NUMBER.findall(words)]
        pairs = [np.array(numbers[i : i + 2]) for i in range(0, len(numbers) - 1, 2)]
        if command == "M":
            lines.append(pairs)  # further pairs are lines
        elif command == "Z":
            lines[-1].append(lines[-1][0])
        else:
            lines[-1] += _continued(command, numbers, pairs, lines[-1][-1])
    return [np.array(line) for line in lines]


def _continued(command: str, numbers: list[float], pairs: list[Points], start: Points) -> list[Points]:
    """The points that a command adds behind `start`."""
    if command == "V":
        return [np.array([start[0], numbers[0]])]
    if command == "v":
        return [start + np.array([0, numbers[0]])]
    if command == "L":
        return pairs
    if command == "l":
        return [start + np.sum(pairs[: i + 1], axis=0) for i in range(len(pairs))]
    points: list[Points] = []
    for first, second, end in zip(pairs[::3], pairs[1::3], pairs[2::3], strict=True):
        points += [start + curve for curve in _bezier(first, second, end)]
        start = points[-1]
    return points


def _bezier(first: Points, second: Points, end: Points) -> Points:
    """(CURVE_STEPS, 2) points of the cubic curve from the origin."""
    t = np.linspace(0, 1, CURVE_STEPS + 1)[1:, None]
    return np.asarray(3 * t * (1 - t) ** 2 * first + 3 * t**2 * (1 - t) * second + t**3 * end)


def coverage(drawing: Drawing, size: int, scale: float = 1.0) -> NDArray[np.float64]:
    """(size, size) from 0 to 1: how much of each pixel is drawn; the drawing takes `scale` of the side."""
    units = drawing.side / (size * scale)
    ticks = (np.arange(size) + 0.5 - size / 2) * units + drawing.side / 2
    x, y = np.meshgrid(ticks, ticks)
    distance = np.full((size, size), np.inf)
    for line in drawing.lines:
        for start, end in pairwise(line):
            distance = np.minimum(distance, _to_segment(x, y, start, end) - drawing.width / 2)
    for cx, cy, r in drawing.circles:
        distance = np.minimum(distance, np.hypot(x - cx, y - cy) - r)
    for line in drawing.filled:
        distance[_inside(x, y, line)] = -np.inf
    return np.clip(0.5 - distance / units, 0, 1)


def _to_segment(x: Points, y: Points, start: Points, end: Points) -> Points:
    way = end - start
    along = ((x - start[0]) * way[0] + (y - start[1]) * way[1]) / max(float(way @ way), 1e-12)
    along = np.clip(along, 0, 1)
    return np.asarray(np.hypot(x - start[0] - along * way[0], y - start[1] - along * way[1]))


def _inside(x: Points, y: Points, line: Points) -> NDArray[np.bool_]:
    """Whether a ray to the right crosses the closed line an odd number of times."""
    crossings = np.zeros(x.shape, dtype=int)
    for (x0, y0), (x1, y1) in pairwise(line):
        if y0 != y1:
            crossings += ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return np.asarray(crossings % 2 == 1)


def png(
    covered: NDArray[np.float64], colour: tuple[int, int, int], paper: tuple[int, int, int] | None
) -> bytes:
    """A PNG of 16 shades: `colour` on `paper`, or on nothing."""
    level = np.rint(covered * (LEVELS - 1)).astype(np.uint8)
    rows = level[:, ::2] << 4 | level[:, 1::2]
    filtered = np.hstack([np.zeros((len(rows), 1), dtype=np.uint8), rows])
    shares = np.linspace(0, 1, LEVELS)[:, None]
    ground = colour if paper is None else paper
    palette = np.rint(shares * colour + (1 - shares) * ground).astype(np.uint8)
    transparency = [] if paper else [(b"tRNS", np.rint(shares * 255).astype(np.uint8).tobytes())]
    size = len(level)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", size, size, 4, 3, 0, 0, 0)),
        (b"PLTE", palette.tobytes()),
        *transparency,
        (b"IDAT", zlib.compress(filtered.tobytes(), 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def icons() -> dict[str, bytes]:
    """File name -> PNG."""
    drawing = read_drawing((SITE / "favicon.svg").read_text("utf-8"))
    made = {f"{size}.png": png(coverage(drawing, size), drawing.colour, None) for size in SIZES}
    made["maskable.png"] = png(coverage(drawing, MASKABLE, SAFE), drawing.colour, PAPER)
    return made


def main() -> None:
    ICONS.mkdir(exist_ok=True)
    for name, data in icons().items():
        (ICONS / name).write_bytes(data)


if __name__ == "__main__":
    main()
