"""What a check of a corpus says. Errors in the sense of the exit code are only some of it."""

from ...errors import Errors as SharedErrors


class Errors(SharedErrors):
    PLAN_FILE = "There is no config '{path}'. `python -m spacy pretrained config` writes one."
    PLAN_BROKEN = "{path} is no config that spaCy can read: {error}"
    PLAN_SOURCED = (
        "What '{name}' learns was not looked at: it comes from '{source}', which is no folder here."
    )
    NO_DOCUMENTS = "there is no document with a token in it."
    EMPTY_DOCUMENTS = "{n} documents have no tokens. They are left out."
    NO_ANNOTATION = "nothing is annotated: no component can learn from it."
    NOTHING_TO_LEARN = (
        "'{name}' has nothing to learn from: no {layers} in all {documents} documents. Annotate "
        "some, or take the component out of the config."
    )
    NOTHING_TO_SCORE = "'{name}' cannot be scored: no {layers} in all {documents} documents."
    NO_ENTITIES = (
        "all tokens are annotated as outside of entities: there are no entities at all. If nobody "
        "annotated entities, say so: doc.set_ents([], default='missing')."
    )
    FEW_EXAMPLES = "{n} {layer} have fewer than {bound} examples: {labels}."
    NOT_IN_TRAIN = (
        "{n} {layer} are not in the training corpus, so that no component can predict them: "
        "{labels}."
    )
    OVERLAP = (
        "{n} of {documents} documents have the text of a training document, such as {text}. Scores "
        "on them say little: remove them from one of the two."
    )
    SPANS_OVERLAP = (
        "{message} {documents} documents have overlapping spans ({nested} pairs of nested, "
        "{crossing} of crossing spans)."
    )
    ENTITIES_ALL_LOST = (
        "'{name}' has nothing to learn from: none of the {entities} entities begins and ends with "
        "a token that the pipeline's tokenizer makes."
    )
    ENTITIES_NOT_TOKENS = (
        "{lost} of {entities} entities do not begin and end with a token that the pipeline's "
        "tokenizer ({lang}) makes, such as {example}: in raw text '{name}' cannot find them."
    )
    ENTITIES_CROSS_SENTENCES = "{n} entities reach over the start of a sentence, such as {example}."
    TREE_CYCLES = (
        "{n} sentences have a cycle, in which tokens depend on each other and on no root, such as "
        "{example}. Correct the heads."
    )
    TREE_CROSSES = "{message} {n} documents have such heads."
    TREE_ROOTS = (
        "{n} sentences have several roots or none, such as {example}: a root lies within the tree "
        "of another one. Give each sentence one root."
    )
    TREE_ROOT_LABELS = (
        "roots have several labels: {labels}. One label should stand for the root, and for nothing "
        "else."
    )
    TREE_LONG = (
        "{n} sentences have more than {max_sentence} tokens (max_sentence of '{name}'). They are "
        "parsed in parts; heads in another part are not learned."
    )
    CATS_REFUSED = "{message} {n} documents are like that."
    TOKENS_NOT_ALIGNED = (
        "{n} of {tokens} tokens ({share:.1%}) are not those that the pipeline's tokenizer ({lang}) "
        "makes, such as {example}. From {bound:.0%} on, scores on raw text will be well below "
        "those on gold tokens: check [nlp] lang and [nlp.tokenizer]."
    )
    TOKENS_NO_SPACES = (
        "Tokens were not compared with the tokenizer's in {n} documents, in which it is not known "
        "where spaces are."
    )
    TOKENS_NO_CONFIG = (
        "Tokens were not compared with the pipeline's tokenizer: this needs the config."
    )
    WINDOWS_LONG = (
        "{n} of {sentences} sentences have more wordpieces than the {room} that a window of "
        "'{name}' holds; the longest has {longest}. They are cut into several windows, and the "
        "encoder sees these one by one. A larger `window`, or a `stride` below it, gives more "
        "context."
    )
    WINDOWS_NO_CONFIG = (
        "Sentences were not compared with the encoder's window: this needs the config."
    )
    WINDOWS_NO_ENCODER = (
        "Sentences were not compared with the encoder's window: the config has no "
        "pretrained_encoder with a source."
    )
    WINDOWS_NO_TOKENIZER = "Sentences were not compared with the encoder's window: {reason}"
    WINDOWS_TOKENIZER_FILE = "'{folder}' has no tokenizer.json."
