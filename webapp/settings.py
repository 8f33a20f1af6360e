"""What a server is told at its start."""

from dataclasses import dataclass, field
from pathlib import Path

from webapp.errors import WebappError

LARGEST_PORT = 65535


def default_site() -> Path:
    """The site folder: inside the installed package, else beside it, as in a checkout."""
    package = Path(__file__).parent
    inside = package / "site"
    return inside if inside.is_dir() else package.parent / "site"


def default_runtime() -> Path | None:
    """What `scripts.provide_runtime` has brought to this checkout, if it has."""
    folder = Path(__file__).parent.parent / "build" / "runtime"
    return folder if folder.is_dir() else None


@dataclass(frozen=True)
class Settings:
    """Artifact folders in the order of the catalogue, and where to listen.

    `port` 0 takes a free one. `runtime` is the folder of what pages need where there is no WebGPU; without one they
    need WebGPU. `sources`: scripts as they are written, not those in the site's folder `built`. Raises WebappError for
    a port out of range.
    """

    folders: tuple[Path, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8000
    site: Path = field(default_factory=default_site)
    runtime: Path | None = None
    sources: bool = False
    verbose: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.port <= LARGEST_PORT:
            raise WebappError(
                f"The port must be from 0 to {LARGEST_PORT}", f"--port {self.port}", "0 takes a free one."
            )
