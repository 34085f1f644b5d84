"""Whether a quantized pipeline annotates as the one it was made of, where there is no gold
annotation to score both on."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from wasabi import table

from ..errors import count_of
from ..scoring.agreement import SPANS, measure_agreement
from .errors import Errors
from .recipes import FP32, TORCH

N_COMPARED = 200


@dataclass(frozen=True)
class MinAgreement:
    """How much of a pipeline's annotation its copy has to repeat, in percent: a little less than
    the INT8 pipeline of the English Web Treebank does."""

    tags: float = 99.0  # each of tags, parts of speech, morphology and lemmas
    heads: float = 98.0  # heads with labels
    entities: float = 98.5  # F, and of each group of spans
    categories: float = 99.0  # decisions

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 <= value <= 100:
                raise ValueError(Errors.MIN_AGREEMENT.format(name=name, value=value))

    def of(self, measure: str) -> float | None:
        """The limit for one of the measures. None for sentences, which heads imply."""
        if measure == "sentences":
            return None
        if measure == "entities" or measure.startswith(SPANS):
            return self.entities
        return {"heads": self.heads, "categories": self.categories}.get(measure, self.tags)


DEFAULT = MinAgreement()


@dataclass(frozen=True)
class AgreementTrial:
    """A recipe and how far the copy agrees with the original, in percent."""

    recipe: str
    agreement: dict[str, float]
    at_least: MinAgreement
    texts: int
    performance: dict[str, Any] = field(default_factory=dict)  # none without gold annotation

    is_unsure = False  # it is about these texts

    @property
    def too_low(self) -> list[str]:
        limits = {name: self.at_least.of(name) for name in self.agreement}
        return [n for n, limit in limits.items() if limit is not None and self.agreement[n] < limit]

    @property
    def is_judged(self) -> bool:
        """Whether anything was measured that has a limit. Nothing is where the pipeline annotates
        none of it, such as an encoder alone, or finds no entity in the texts."""
        return any(self.at_least.of(name) is not None for name in self.agreement)

    def refusal(self, n_trials: int, *, precision: str, windows: str) -> str:
        advice = Errors.TRY_MORE_PIECES if windows == "kept" else Errors.TRY_KEPT_OR_EVAL
        known = {"n": n_trials, "why": self.explain(), "advice": advice}
        return Errors.AGREES_TOO_LITTLE.format(**known)

    def explain(self) -> str:
        if not self.is_judged:
            return "cannot be judged: the original annotates nothing in the texts that is compared"
        names = (f"{name} {self.agreement[name]:.2f} %" for name in self.too_low)
        return f"agrees too little with the original ({', '.join(names)})"

    def summary(self) -> str:
        limits = {name: self.at_least.of(name) for name in self.agreement}
        rows = [
            (name, f"{found:.2f}", "–" if limits[name] is None else f"{limits[name]:.2f}")
            for name, found in self.agreement.items()
        ]
        header = ("agreement, %", f"on {count_of(self.texts, 'text')}", "at least")
        return table(rows, header=header, divider=True, aligns=("l", "r", "r")) if rows else ""

    def figures(self) -> dict[str, Any]:
        return {
            "compared_texts": self.texts,
            "agreement": {
                name: {"percent": round(found, 4), "at_least": self.at_least.of(name)}
                for name, found in self.agreement.items()
            },
        }


class AgreementGate:
    """A pipeline's annotation of some texts, with which that of its copies is compared.

    texts: Texts, or Docs of which only the tokens count, that are not calibrated on.
    falls_back: Whether fp32 is tried last, because no recipe is more careful. False if copies have
        other windows than the pipeline: then one that nothing can be said of is refused, too.
    fewer_pieces: Whether copies lack wordpieces. If not, one in fp32 annotates as the pipeline
        does, and is accepted in any case.
    """

    def __init__(
        self,
        nlp: Language,
        texts: Iterable[str | Doc],
        *,
        at_least: MinAgreement = DEFAULT,
        falls_back: bool = True,
        fewer_pieces: bool = False,
        report: Callable[[str], None] = lambda step: None,
    ):
        self.falls_back = falls_back
        self._fewer_pieces = fewer_pieces
        docs = [nlp.make_doc(text) if isinstance(text, str) else text for text in texts]
        if not any(len(doc) for doc in docs):
            raise ValueError(Errors.NOTHING_TO_COMPARE)
        # As bytes, since Docs of one pipeline's vocab are not another's.
        self._tokens = [_bare(doc).to_bytes() for doc in docs]
        self._nlp = nlp
        self._at_least = at_least
        self._report = report
        self._report(f"Annotating {count_of(len(docs), 'text')} with the pipeline as it is")
        self._originals = list(nlp.pipe(self._tokens))

    def try_out(self, nlp: Language, recipe: str) -> AgreementTrial:
        n_texts = len(self._tokens)
        self._report(f"Annotating {count_of(n_texts, 'text')} with {recipe}")
        copies = list(nlp.pipe(self._tokens))
        if len(copies) != len(self._originals):
            raise ValueError(
                Errors.DOCS_LOST.format(
                    given=count_of(n_texts, "text"),
                    expected=len(self._originals),
                    found=len(copies),
                )
            )
        found = measure_agreement(self._nlp, self._originals, copies)
        return AgreementTrial(recipe, found, self._at_least, n_texts)

    def accepts(self, trial: AgreementTrial) -> bool:
        if trial.too_low:
            is_same = trial.recipe in (FP32, TORCH) and not self._fewer_pieces
            return self.falls_back and is_same
        return self.falls_back or trial.is_judged


def _bare(doc: Doc) -> Doc:
    words, spaces = [token.text for token in doc], [bool(token.whitespace_) for token in doc]
    return Doc(doc.vocab, words=words, spaces=spaces)
