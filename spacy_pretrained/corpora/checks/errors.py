"""What a check of a corpus says: errors, warnings and notes."""

from ...errors import Errors as SharedErrors


class Errors(SharedErrors):
    PLAN_FILE = "There is no config '{path}'. `python -m spacy pretrained config` writes one."
    PLAN_BROKEN = "'{path}' is not a config that spaCy can read: {error}"
    PLAN_SOURCED = (
        "What '{name}' learns was not checked: it comes from '{source}', which is not a folder "
        "here."
    )
    PLAN_NO_COMPONENT = (
        "[nlp] pipeline names '{name}', but the config has no [components.{name}]. Add it, or take "
        "'{name}' out of the pipeline."
    )
    PLAN_NOT_IN_SOURCE = (
        "'{name}' comes from the pipeline '{source}', which has no component '{component}'. It "
        "has: {known}."
    )
    LABELS_NOT_KNOWN = "{message} Labels that it does not know, and documents with each: {labels}."
    NO_DOCUMENTS = "There is no document with tokens."
    EMPTY_DOCUMENTS = "Documents without tokens: {n}. Training leaves them out."
    NO_ANNOTATION = "Nothing is annotated: no component can learn from this corpus."
    NOTHING_TO_LEARN = (
        "'{name}' has nothing to learn from: the corpus has no {layers}. Annotate some, or take "
        "the component out of the config."
    )
    NOTHING_TO_SCORE = "'{name}' cannot be scored: the corpus has no {layers}."
    NO_ENTITIES = (
        "There are no entities: all tokens are annotated as outside of one. If nobody annotated "
        "entities, mark them as missing: doc.set_ents([], default='missing')."
    )
    FEW_EXAMPLES = "These {layer} have fewer than {bound} examples: {labels}."
    NOT_IN_TRAIN = (
        "These {layer} are not in the training corpus, so no component can predict them: {labels}."
    )
    OVERLAP = (
        "Documents with the same text as a training document: {n} of {total}, such as {text}. "
        "Scores on them mean little: remove them from one of the two corpora."
    )
    OVERLAP_SENTENCES = (
        "Sentences of {least} tokens or more, in other documents, that are in the training corpus, "
        "too: {n} of {total}, such as {text}. Scores on them mean little."
    )
    SPANS_OVERLAP = (
        "{message} Documents with overlapping spans: {documents} (pairs: {nested} nested, "
        "{crossing} crossing)."
    )
    ENTITIES_ALL_LOST = (
        "'{name}' has nothing to learn from: no entity (of {entities}) begins and ends at a token "
        "boundary of the pipeline's tokenizer."
    )
    ENTITIES_NOT_TOKENS = (
        "Entities that do not begin and end at a token boundary of the pipeline's tokenizer "
        "({lang}): {lost} of {entities}, for example in {example}. In raw text, '{name}' cannot "
        "find them."
    )
    ENTITIES_CROSS_SENTENCES = "Entities that cross a sentence boundary: {n}, such as {example}."
    TREE_CYCLES = (
        "Sentences whose heads form a cycle: {n}, such as {example}. Correct the heads: from every "
        "token they lead to a root."
    )
    TREE_CROSSES = "{message} Documents with such heads: {n}."
    TREE_ROOTS = (
        "Sentences with several roots, or without one: {n}, such as {example}. Give each sentence "
        "one root."
    )
    TREE_ROOT_LABELS = (
        "Roots have several labels: {labels}. Use one label for roots, and for nothing else."
    )
    TREE_LONG = (
        "Sentences of more than {max_sentence} tokens (max_sentence of '{name}'): {n}. They are "
        "parsed in parts; heads in another part are not learnt."
    )
    CATS_REFUSED = "{message} Documents with this fault: {n}."
    TOKENS_NOT_ALIGNED = (
        "Tokens that differ from those of the pipeline's tokenizer ({lang}): {n} of {tokens} "
        "({share:.1%}), such as {example}. Above {bound:.0%}, scores on raw text will be well "
        "below those on gold tokens: check [nlp] lang and [nlp.tokenizer]."
    )
    TOKENS_NO_SPACES = (
        "Documents that do not say where spaces are: {n}. Their tokens were not compared with the "
        "tokenizer's."
    )
    TOKENS_NO_CONFIG = (
        "Tokens were not compared with those of the pipeline's tokenizer: this needs the config."
    )
    WINDOWS_LONG = (
        "Sentences with more wordpieces than a window of '{name}' holds ({room}): {n} of "
        "{sentences}; the longest has {longest}. They are cut into several windows, each encoded "
        "by itself. A larger `window`, or a `stride` below it, gives more context."
    )
    WINDOWS_NO_CONFIG = (
        "Sentences were not compared with the encoder's window: this needs the config."
    )
    WINDOWS_NO_ENCODER = (
        "Sentences were not compared with the encoder's window: the config has no "
        "pretrained_encoder with a single source."
    )
    WINDOWS_NO_TOKENIZER = "Sentences were not compared with the encoder's window: {reason}"
    WINDOWS_TOKENIZER_FILE = "'{folder}' has no tokenizer.json."
