"""The engines of one measurement: what each is given, what came of opening it, whether answers agree."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import isfinite
from typing import Any, Protocol

from bench import peers
from bench.errors import BenchError
from bench.made_files import Made
from bench.model_folder import ModelFolder
from bench.peers import Peer
from bench.settings import OURS, BenchSettings
from bench.workloads import Workload, prefill_ids

CHECKED_IDS = 16
GREEDY_TOKENS = 4
# Of the largest logit: both engines sum in float32, each in its own order, over rounded weights.
LOGITS_LIMIT = 0.005
# Activations in 8 bits, a scale a block: measured are 0.004 for eight layers of 768 values, 0.04 for tiny models of 64.
ROUNDED_LOGITS_LIMIT = 0.06
# Peers round otherwise, to 8 bits with a scale a channel, which is theirs to do.
COSINE_LIMIT = 0.97


class Caller(Protocol):
    """What engines need of the tab."""

    def call(self, name: str, *args: object) -> Any:
        """The value of that function of page/harness.js."""


class Engines:
    """Ours and the peers that could be opened, in one tab; `paths` grows with what the server is asked for."""

    def __init__(
        self,
        tab: Caller,
        model: ModelFolder,
        made: Made,
        settings: BenchSettings,
        paths: Sequence[str],
        say: Callable[[str], None],
    ) -> None:
        self._tab, self._model, self._made, self._settings, self._say = tab, model, made, settings, say
        self._paths = paths
        self.records: dict[str, dict[str, Any]] = {}

    @property
    def measurable(self) -> list[str]:
        """Names of the engines that are open, ours first."""
        return [name for name, record in self.records.items() if record["ok"]]

    def open_all(self, fit: Iterable[Peer]) -> None:
        """Ours first, whose failure ends the measurement; a peer's is noted."""
        for name in (OURS, *(peer.name for peer in fit)):
            self.open_one(name)

    def open_one(self, name: str) -> None:
        """The engine of that name."""
        if name == OURS:
            self._open_ours()
        else:
            self._open_peer(peers.PEERS[name])

    def _open_ours(self) -> None:
        options = {"tier": self._settings.tier} if self._settings.tier else {}
        job = {"model": self._model.address, "options": options}
        self.records[OURS] = self._noting_files(partial(self._tab.call, "openOurs", job))
        self._say(f"opened {OURS}")

    def _open_peer(self, peer: Peer) -> None:
        self.records[peer.name] = self._noting_files(partial(self._open, peer))
        self._say(f"opened {peer.name}" if self.records[peer.name]["ok"] else self._failure(peer.name))

    def _noting_files(self, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        start = len(self._paths)
        return make() | {"files": list(self._paths[start:])}

    def _open(self, peer: Peer) -> dict[str, Any]:
        try:
            job = self._made.job(peer.name, self._settings)
        except Exception as error:
            # What a peer needs may fail in a library of its own in any way; the others are measured all the same.
            return {"ok": False, "error": f"its files could not be made: {error}"}
        record: dict[str, Any] = self._tab.call("openPeer", peer.name, peer.driver, job)
        return record

    def _failure(self, name: str) -> str:
        return f"{name} is not measured: {self.records[name]['error']}"

    def check(self, chosen: Sequence[Workload]) -> list[dict[str, Any]]:
        """Compare what each peer answers with ours. One that answers otherwise is marked, one that fails left out."""
        checks = []
        for name in self.measurable[1:]:
            try:
                checks += self._check(name, chosen)
            except BenchError as error:
                self.records[name] |= {"ok": False, "error": f"it fails when it is run: {error.place}"}
                self._say(self._failure(name))
        return checks

    def _check(self, name: str, chosen: Sequence[Workload]) -> list[dict[str, Any]]:
        return self._check_writer(name, chosen) if self._writes else [self._check_embedder(name, chosen[0])]

    @property
    def _writes(self) -> bool:
        return self._model.task == "text-generation"

    def _check_writer(self, name: str, chosen: Sequence[Workload]) -> list[dict[str, Any]]:
        ids = prefill_ids(CHECKED_IDS, int(self._model.manifest["vocabulary"]))
        found = self._tab.call("compareLogits", OURS, name, ids)
        what = "largest difference of logits, in parts of the largest logit"
        if peers.PEERS[name].rounds_activations:
            agrees = found["difference"] <= ROUNDED_LOGITS_LIMIT
            return [answer_check(what, name, found["difference"], ROUNDED_LOGITS_LIMIT, agrees)]
        agrees = found["difference"] <= LOGITS_LIMIT and found["sameToken"]
        given = next(load.args[0] for load in chosen if load.method == "generate")
        same = self._tab.call("compareTokens", OURS, name, given, GREEDY_TOKENS)["same"]
        return [
            answer_check(what, name, found["difference"], LOGITS_LIMIT, agrees),
            answer_check("greedy tokens that are the same", name, same, GREEDY_TOKENS, same == GREEDY_TOKENS),
        ]

    def _check_embedder(self, name: str, load: Workload) -> dict[str, Any]:
        cosine = self._tab.call("compareEmbeddings", OURS, name, load.args[0])
        return answer_check("least cosine of embeddings", name, cosine, COSINE_LIMIT, cosine >= COSINE_LIMIT)

    def gpu_calls(self, chosen: Sequence[Workload]) -> dict[str, Any]:
        """Engine -> what it asks of WebGPU for one more token, or for one batch of texts."""
        load = next((one for one in reversed(chosen) if one.key != "firstMs"), chosen[-1])
        shortest = next((one for one in chosen if one.key == "decodeMs"), load)
        return {
            name: self._tab.call("gpuCalls", name, shortest.method, list(shortest.args))
            for name in self.measurable
        }

    def described(self, missing: dict[str, str]) -> list[dict[str, Any]]:
        """A row for each engine, also for those that are not measured."""
        rows = [{"name": OURS, **self._described(OURS)}]
        rows += [{"name": name, **self._described(name)} for name in self.records if name != OURS]
        return rows + [{"name": name, "ok": False, "error": reason} for name, reason in missing.items()]

    def _described(self, name: str) -> dict[str, Any]:
        record = self.records[name]
        if not record["ok"]:
            return {"ok": False, "error": record["error"]}
        about = "the plan of the artifact" if name == OURS else peers.PEERS[name].about
        runtime = self._made.runtime(name, self._files(name))
        return {"ok": True, "about": about, **record["facts"], "runtime_bytes": runtime}

    def _files(self, name: str) -> list[str]:
        """What was loaded for the engine; a package that serves two peers is loaded with the first."""
        package = _package(name)
        found = [record["files"] for other, record in self.records.items() if _package(other) == package]
        return [path for paths in found for path in paths]


def _package(name: str) -> str:
    return name if name == OURS else peers.PEERS[name].package


def answer_check(what: str, peer: str, value: float, limit: float, agrees: bool) -> dict[str, Any]:
    """A row of the result's checks."""
    found = value if isfinite(value) else None  # JSON has no other numbers
    return {"what": what, "peer": peer, "value": found, "limit": limit, "agrees": agrees}
