"""What a run has found: how many cases of which kinds, what they ended with, and what must never be."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Findings:
    cases: int = 0
    kinds: set[str] = field(default_factory=set)
    scenarios: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    measured: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "cases": self.cases,
            "kinds": sorted(self.kinds),
            "scenarios": dict(self.scenarios.most_common()),
            "codes": dict(self.codes.most_common()),
            "violations": self.violations,
            "measured": self.measured,
            "seconds": round(self.seconds, 1),
        }

    def as_text(self, title: str) -> str:
        told = self.as_json()
        counts = {name: _listed(told[name]) for name in ("scenarios", "codes", "measured")}
        lines = [
            f"{title}: {self.cases} cases of {len(self.kinds)} kinds of fault in {self.seconds:.0f} s, "
            f"{len(self.violations)} violations",
            *(f"  {name}: {text}" for name, text in counts.items() if text),
            *(f"  VIOLATION {violation}" for violation in self.violations),
        ]
        return "\n".join(lines)


def _listed(counts: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_figure(value)}" for name, value in counts.items())


def _figure(value: object) -> str:
    return " ".join(f"{key} {part}" for key, part in value.items()) if isinstance(value, dict) else str(value)
