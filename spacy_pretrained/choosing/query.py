"""What `recommend` is asked, checked; and what is said of tasks that are for other tools."""

import re
from dataclasses import dataclass

from .errors import Errors
from .memory import GIGABYTE

TASKS = {
    "tagging": "tags, parts of speech and morphology",
    "parsing": "dependencies and sentences",
    "ner": "named entities",
    "textcat": "categories of texts, learnt from examples",
    "zero-shot": "categories of texts, by their names alone",
    "similarity": "vectors of texts that are near where texts are alike",
}
# Other names of a task, as `read_task` takes them: in lower case, with hyphens.
SYNONYMS = {
    "tagging": "tag tags tagger pos pos-tag pos-tags pos-tagging part-of-speech parts-of-speech "
    "part-of-speech-tagging morph morphology morphologizer",
    "parsing": "parse parser dep deps dependency dependencies dependency-parse dependency-parser "
    "dependency-parsing syntax",
    "ner": "entity entities named-entity named-entities entity-recognition "
    "named-entity-recognition",
    "textcat": "text-categorization text-classification text-classifier classification classifier "
    "categories textcat-multilabel sentiment sentiment-analysis sentiment-classification",
    "zero-shot": "zeroshot zero-shot-classification zero-shot-textcat",
    "similarity": "semantic-similarity sentence-similarity text-similarity",
    "summarization": "summarisation summarize summary summaries text-summarization",
    "translation": "translate machine-translation",
    "generation": "generate text-generation",
    "qa": "question-answering",
}
# Tasks, and the components that do them.
WITHOUT_TRAINING = {"zero-shot": "zero_shot_textcat", "similarity": "pretrained_encoder"}
DEVICES = ("cpu", "cuda")
SPEEDS = ("fast", "balanced", "accurate")
DOMAINS = ("biomedical", "clinical", "science", "legal", "finance", "tweets")
UNITS = {"kb": 1_000, "mb": 1_000_000, "gb": GIGABYTE, "tb": 1_000 * GIGABYTE}
LANG = re.compile(r"([a-z]{2,3})([-_][a-z0-9]+)*")
USUAL_EXAMPLES = 5_000

ELSEWHERE = {
    "summarization": (
        "spaCy pipelines annotate texts; they do not write summaries.",
        "Use an encoder-decoder that was trained to summarize (BART, Pegasus, T5), or a large "
        "language model.",
        "A spaCy pipeline helps before that: it splits texts into sentences and finds categories "
        "and entities.",
    ),
    "translation": (
        "spaCy pipelines annotate texts; they do not translate.",
        "Use an encoder-decoder that was trained to translate (Marian's OPUS models have one for "
        "each pair of languages), or a large language model.",
        "A spaCy pipeline helps before that: it splits texts into sentences, which such models "
        "take one by one.",
    ),
    "generation": (
        "spaCy pipelines annotate texts; they do not write any.",
        "Use a decoder, such as GPT-2 or one of the large language models.",
        "For tags, entities and categories a decoder is the wrong tool: a wordpiece sees only what "
        "is to its left.",
    ),
    "qa": (
        "spaCy pipelines have no component that answers questions.",
        "For answers that are spans of a given text, use an encoder with a span head "
        "(transformers' AutoModelForQuestionAnswering); for free answers, a large language model.",
        "A pipeline helps to find the texts to ask: `similarity` ranks them, `ner` says who is in "
        "them.",
    ),
}


@dataclass(frozen=True)
class CorpusSize:
    examples: int  # as in a query
    words: int  # of all of them


@dataclass(frozen=True)
class Query:
    """What an encoder is wanted for.

    memory: Bytes that a training may take; None means that it does not matter.
    lang: Code of a language, as `read_lang` gives it; "xx" for many.
    examples: Annotated sentences, or texts with categories, to learn from.
    domain: One of `DOMAINS`, or None for texts in general.
    corpus: What is trained on, if it is there: the length of a training follows it. Without one,
        the words of an example are a guess.
    RAISES: ValueError, naming what is known, for anything else.
    """

    task: str
    lang: str = "en"
    device: str = "cpu"
    memory: int | None = None
    speed: str = "balanced"
    examples: int = USUAL_EXAMPLES
    domain: str | None = None
    corpus: CorpusSize | None = None

    def __post_init__(self):
        if self.task not in TASKS:
            names = {"tasks": ", ".join(TASKS), "elsewhere": ", ".join(ELSEWHERE)}
            raise ValueError(Errors.TASK.format(task=self.task, **names))
        choices = {"device": DEVICES, "speed": SPEEDS, "domain": (None, *DOMAINS)}
        for name, known in choices.items():
            value = getattr(self, name)
            if value not in known:
                known = ", ".join(filter(None, known))
                raise ValueError(Errors.CHOICE.format(name=name, value=value, known=known))
        if self.lang != read_lang(self.lang):
            raise ValueError(Errors.LANG.format(lang=self.lang))
        if self.examples < 0:
            raise ValueError(Errors.EXAMPLES.format(examples=self.examples))
        if not self.examples and self.task not in WITHOUT_TRAINING:
            raise ValueError(Errors.NO_EXAMPLES.format(task=self.task))


def read_task(text: str) -> str:
    """The name of a task in `TASKS` or `ELSEWHERE`, which may be given by another name of the
    field; an unknown one as it is.

    >>> read_task("NER"), read_task("named entities"), read_task("chess")
    ('ner', 'ner', 'chess')
    """
    name = "-".join(text.lower().replace("_", " ").replace("-", " ").split())
    if name in TASKS or name in ELSEWHERE:
        return name
    return next((task for task, names in SYNONYMS.items() if name in names.split()), text)


def read_lang(text: str) -> str:
    """The code of a language, without that of a country.

    >>> read_lang("es"), read_lang("pt-BR"), read_lang("EN")
    ('es', 'pt', 'en')
    """
    found = LANG.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(Errors.LANG.format(lang=text))
    return found[1]


def read_memory(text: str) -> int:
    """
    >>> read_memory("8GB"), read_memory("512 mb")
    (8000000000, 512000000)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt])i?b?\s*", text.lower())
    if found is None or not float(found[1]):
        raise ValueError(Errors.MEMORY.format(memory=text))
    return round(float(found[1]) * UNITS[found[2] + "b"])
