"""A hand-made generator that answers as an extraction model does, for tests of engine and page together."""

from tests.site.engine_artifacts import (
    E1,
    E2,
    END,
    EURO1,
    EURO2,
    PIECES,
    SPACE,
    A,
    Artifact,
    B,
    C,
    generation_artifact,
    special,
)

# Pieces of an answer in place of the tokens that only text of several bytes needs, by id.
ANSWER_PIECES = {E1: '{"a": "', E2: '", "b": ', EURO1: "null", EURO2: "}"}


def extraction_artifact(message: str) -> Artifact:
    """A generator that is asked for the fields a and b of `message`, and says that a is the whole message."""
    ids = {"a": A, "b": B, "c": C, " ": SPACE}
    answer = [E1, *(ids[letter] for letter in message), E2, EURO1, EURO2, END]
    # The prompt is <role>, the letters of "a, b" and the message that are tokens, and <role>.
    read = 2 + sum(letter in ids for letter in f"a, b\n{message}")
    roles = {role: ["<role>", ""] for role in ("user", "assistant", "system", "tool")}
    chat = {"start": "", "roles": roles, "answer": "<role>", "system": None}
    artifact = generation_artifact([A] * (read - 1) + answer, chat=chat)
    artifact.manifest["extraction"] = {"letters": ["a", "b"]}
    tokens = artifact.tokenizer["added_tokens"]
    tokens += [special(text, i) | {"special": False} for i, text in ANSWER_PIECES.items()]
    vocabulary = artifact.tokenizer["model"]["vocab"]
    for i in ANSWER_PIECES:
        del vocabulary[PIECES[i]]
    return artifact
