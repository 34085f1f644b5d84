"""A tokenizer that learns from a corpus, and then is one of spaCy's own.

[nlp.tokenizer]
@tokenizers = "spacy-pretrained.TreebankTokenizer.v1"
"""

import warnings
from collections.abc import Callable, Iterable, Iterator

from spacy.language import Language, create_tokenizer
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.training import Example

from ..corpora.multiword import WordCounts
from .chunks import count_chunks
from .errors import Errors
from .learn import learn_tokenizer

STOCK = "spacy.Tokenizer.v1"
MADE_UP = {"x", "y", "z"}  # the words of the Doc that spaCy initializes with for want of examples


class TreebankTokenizer(Tokenizer):
    """Has the rules of the language, until `initialize` puts what it learnt in its own place."""

    # Set after construction: Tokenizer's arguments are those that its pickles give.
    min_count = 2
    min_share = 0.6
    max_special_cases = 1000

    def initialize(self, get_examples: Callable[[], Iterable[Example]], *, nlp: Language) -> None:
        """Learn from the reference Docs, and make a plain `spacy.tokenizer.Tokenizer` the
        tokenizer of `nlp`, in its config, too: a saved pipeline needs nothing of this package for
        it, and nothing is learnt again when more components are initialized later.

        The words of multiword tokens are learnt, too: see corpora/multiword.py.

        A warning if the Docs do not say where there are spaces; and if there are no examples, for
        which spaCy makes up a Doc. Then this tokenizer stays, and can learn later.
        """
        multiwords = WordCounts()

        def references() -> Iterator[Doc]:
            for example in get_examples():
                multiwords.add(example.reference)
                yield example.reference

        chunks = count_chunks(references())
        multiwords.to_vocab(nlp.vocab)
        if not chunks:
            warnings.warn(Errors.TOKENIZER_NO_SPACES, stacklevel=2)
        elif {chunk.text for chunk in chunks} == MADE_UP:
            warnings.warn(Errors.TOKENIZER_NO_LESSONS, stacklevel=2)
            return
        nlp.tokenizer = learn_tokenizer(
            nlp, chunks, self.min_count, self.min_share, self.max_special_cases
        )
        nlp.config["nlp"]["tokenizer"] = {"@tokenizers": STOCK}

    def __reduce__(self) -> tuple:
        build, arguments, *_ = super().__reduce__()
        names = ("min_count", "min_share", "max_special_cases")
        return build, arguments, {name: getattr(self, name) for name in names}


def build_treebank_tokenizer(
    min_count: int = 2, min_share: float = 0.6, max_special_cases: int = 1000
) -> Callable[[Language], TreebankTokenizer]:
    """Build a tokenizer with the rules of the language; `nlp.initialize` teaches it the corpus.

    min_count: How often a corpus has to show something before it is a rule, such as that "!!" is
        one token, or that words with "non-" are.
    min_share: The share of the cases that have to follow the rule.
    max_special_cases: How many texts are remembered one by one because the rules do not split
        them as the corpus does. Each makes loading a little slower.
    """
    if min_count < 1 or not 0.5 <= min_share <= 1 or max_special_cases < 0:
        raise ValueError(
            Errors.TOKENIZER_SETTINGS.format(
                min_count=min_count, min_share=min_share, max_special_cases=max_special_cases
            )
        )

    def make(nlp: Language) -> TreebankTokenizer:
        own = nlp.Defaults.config.get("nlp", {}).get("tokenizer", {}).get("@tokenizers", STOCK)
        if own != STOCK:  # for languages without spaces, such as Chinese
            raise ValueError(Errors.TOKENIZER_OF_LANGUAGE.format(lang=nlp.lang, own=own))
        _, arguments, *_ = create_tokenizer()(nlp).__reduce__()
        tokenizer = TreebankTokenizer(*arguments)
        tokenizer.min_count = min_count
        tokenizer.min_share = min_share
        tokenizer.max_special_cases = max_special_cases
        return tokenizer

    return make
