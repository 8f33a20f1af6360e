"""Which weight of a base a module of an adapter means: both may have been saved from other classes of one model."""

from collections.abc import Collection, Iterable

from exporter.errors import LoraError

_MADE_FOR = "The adapter was made for another base."
_HEADS = ("decoder", "embed_out", "lm_head", "vocab_projector")


def weights_changed(modules: Iterable[str], known: Collection[str], base: str) -> dict[str, str]:
    """Weight of `known` -> the module of an adapter that changes it; raises LoraError where that is not clear."""
    found: dict[str, str] = {}
    for module in modules:
        name = _weight_name(module, known, base)
        if name in found:
            what = f'The adapter changes "{name}" twice, as {found[name]} and {module}'
            raise LoraError(what, base, "The adapter is damaged; save it again.")
        found[name] = module
    return found


def _weight_name(module: str, known: Collection[str], base: str) -> str:
    """The name among `known` of the weight of `module`.

    A model saved without its head has no `model.` in front of its names, and an encoder saved with one has `bert.`: so
    one name may be the other's end. Raises LoraError if there is none, or more than one. A head that is the embedding's
    table, too, has none.
    """
    wanted = f"{module}.weight"
    if wanted in known:
        return wanted
    found = [name for name in known if name.endswith(f".{wanted}") or wanted.endswith(f".{name}")]
    if not found and module.rpartition(".")[2] in _HEADS:
        what = f'The adapter changes the head "{module}", which has no weight of its own in the base'
        remedy = "Give the base one (tie_word_embeddings: false), or train the adapter without its head."
        raise LoraError(what, base, remedy)
    if len(found) != 1:
        how = f"{len(found)} weights" if found else "no weight"
        raise LoraError(f'The adapter changes "{module}", for which the base has {how}', base, _MADE_FOR)
    return found[0]


def require_shape(module: str, wanted: tuple[int, ...], found: tuple[int, ...], base: str) -> None:
    """Raises LoraError unless the weight of `module` has the shape (rows, inner) that its product has."""
    if wanted != found:
        what = f'The adapter changes "{module}" as {list(wanted)}, which is {list(found)} in the base'
        raise LoraError(what, base, _MADE_FOR)
