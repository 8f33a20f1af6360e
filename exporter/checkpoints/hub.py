"""Fetches a checkpoint from the model hub into its cache: the only code that touches the network."""

import re
from pathlib import Path

from ..errors import CheckpointError
from .origin import ORIGIN_FILE
from .tokenizer_files import TOKENIZER_FILES
from .weights import missing_weights

_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w][\w./-]*)?$", re.ASCII)
_WEIGHTS = "model*.safetensors"
_PATTERNS = (
    "model.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "*_Pooling/config.json",
    "modules.json",
    "sentence_bert_config.json",
    "README.md",
    ORIGIN_FILE,
    *TOKENIZER_FILES,
)


def is_hub_id(source: str) -> bool:
    """Whether `source` reads like `owner/name` or `owner/name@revision`."""
    return bool(_ID.match(source)) and ".." not in source


def fetch(source: str, *, weights: bool = True) -> Path:
    """The folder of `owner/name[@revision]` in the cache; raises CheckpointError or WeightsError."""
    from huggingface_hub import snapshot_download

    repo, _, revision = source.partition("@")
    try:
        patterns = [*_PATTERNS, *([_WEIGHTS] if weights else [])]
        folder = snapshot_download(repo, revision=revision or None, allow_patterns=patterns)
    # The client raises errors of several libraries; they share no base.
    except Exception as problem:
        raise _explain(source, problem) from None
    if weights and not any(Path(folder).glob("*.safetensors")):
        raise missing_weights(source, _listed(repo, revision))
    return Path(folder)


def _listed(repo: str, revision: str) -> list[str]:
    """The names of all files in the repository; empty if the hub does not tell."""
    from huggingface_hub import HfApi

    try:
        return HfApi().list_repo_files(repo, revision=revision or None)
    except Exception:
        return []


def _explain(source: str, problem: Exception) -> CheckpointError:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(problem, GatedRepoError):
        remedy = "Accept its terms on its page, then log in with `hf auth login`."
        return CheckpointError(f"The checkpoint {source} asks for consent", "model hub", remedy)
    if isinstance(problem, RepositoryNotFoundError | RevisionNotFoundError):
        what = f"The hub has no checkpoint {source}, and there is no such folder here"
        return CheckpointError(what, "model hub", "Check name and revision.")
    reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
    return CheckpointError(
        f"There is no folder {source} here, and the hub cannot be asked: {reason}",
        "model hub",
        "Check the connection, or give a folder that holds the checkpoint.",
    )
