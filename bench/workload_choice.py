"""Which workloads a model gets, and which it cannot have."""

from bench.model_folder import ModelFolder
from bench.settings import BenchSettings
from bench.workloads import Workload, decodes, embedding, first_token, prefills, prompt, sentences

FIRST_TOKEN_PROMPT = 128
SHORTEST_PROMPT = 4


def choose(model: ModelFolder, settings: BenchSettings) -> tuple[list[Workload], list[dict[str, str]]]:
    """The workloads of the model's task, and those left out with the reason."""
    if model.task == "sentence-embedding":
        return [embedding(sentences(settings.texts), model.path / "tokenizer.json")], []
    context = int(model.manifest["context"])
    tokenizer = model.path / "tokenizer.json"
    # An answer needs a place beside its prompt, which a workload of logits does not.
    reads = [tokens for tokens in settings.prefill if tokens < context]
    writes = [
        tokens for tokens in settings.decode if max(SHORTEST_PROMPT, tokens) + settings.tokens < context
    ]
    first = min([FIRST_TOKEN_PROMPT, max(1, context // 2), *reads])
    chosen = [
        *prefills(reads, int(model.manifest["vocabulary"])),
        first_token(prompt(first, tokenizer)),
        *decodes([prompt(max(SHORTEST_PROMPT, tokens), tokenizer) for tokens in writes], settings.tokens),
    ]
    gone = [f"prefill {tokens}" for tokens in settings.prefill if tokens not in reads]
    gone += [f"decode at {tokens}" for tokens in settings.decode if tokens not in writes]
    return chosen, [{"name": name, "reason": f"the context has {context} tokens"} for name in gone]
