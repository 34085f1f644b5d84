"""Whether a corpus can be learnt from: what `python -m spacy pretrained check` says of it.

    from spacy_pretrained.corpora.check import check_corpus

    report = check_corpus("train.spacy", "config.cfg", "dev.spacy")
    print(report.find("error"))

It does for the components of this package what `spacy debug data` does for spaCy's own.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from ..checkpoints.catalogue import describe_misfit
from .checks.errors import Errors
from .checks.finding import Finding, Level
from .checks.labels import LabelCounts, find_rare, find_unknown
from .checks.plan import Plan, read_plan
from .checks.split import Sizes, SplitCheck, soften
from .checks.texts import TextCheck
from .corpus import read_documents

TRAIN, DEV = "train", "dev"
FEW_SHOT = 2  # the examples below which a label has few, where a component learns from few


@dataclass(frozen=True)
class CheckReport:
    """sizes, labels: By corpus, "train" and, if it was given, "dev"."""

    sizes: dict[str, Sizes]
    labels: dict[str, LabelCounts]
    findings: list[Finding]

    def find(self, level: Level) -> list[str]:
        """The texts of the findings of one level."""
        return [finding.text for finding in self.findings if finding.level == level]


def check_corpus(
    train: str | Path, config: str | Path | None = None, dev: str | Path | None = None
) -> CheckReport:
    """Check a corpus to train on.

    train, dev: `.spacy` files, or folders of such files.
    config: Of the training. Without one, all that is annotated is looked at, but nothing that
        depends on the tokenizer or the encoder.
    RAISES: ValueError, OSError or ImportError if one of them cannot be read.
    """
    plan = read_plan(config)
    checks = {TRAIN: SplitCheck(plan)}
    texts = TextCheck()
    for doc in read_documents(train, plan.nlp.vocab):
        checks[TRAIN].add([doc])
        texts.add_train(doc)
    if dev is not None:
        checks[DEV] = SplitCheck(plan)
        for doc in read_documents(dev, plan.nlp.vocab):
            checks[DEV].add([doc])
            texts.add_dev(doc)
    findings = [*plan.findings, *_find_misfits(plan)]
    for name, check in checks.items():
        prefix = f"{name}: " if dev is not None else ""
        own = _find_in_train(plan, check) if name == TRAIN else _find_in_dev(plan, checks, texts)
        findings += [replace(finding, text=prefix + finding.text) for finding in own]
    return CheckReport(
        {name: check.sizes for name, check in checks.items()},
        {name: check.labels for name, check in checks.items()},
        list(dict.fromkeys(findings)),
    )


def _find_in_train(plan: Plan, check: SplitCheck) -> list[Finding]:
    found = check.findings()
    if not check.sizes.documents:
        return found
    few = {"cats": FEW_SHOT} if plan.find("few_shot_textcat") else {}
    return [
        *check.find_nothing(),
        *check.find_unannotated(Errors.NOTHING_TO_LEARN),
        *check.find_unknown_labels(),
        *found,
        *find_rare(check.labels, _layers(plan), few),
    ]


def _find_in_dev(plan: Plan, checks: dict[str, SplitCheck], texts: TextCheck) -> list[Finding]:
    train, dev = checks[TRAIN], checks[DEV]
    if not dev.sizes.documents:
        return dev.findings()
    softened = [*dev.find_unannotated(Errors.NOTHING_TO_SCORE), *dev.findings()]
    return [
        # Notes are those of the training corpus again.
        *(soften(finding) for finding in softened if finding.level != "note"),
        *find_unknown(train.labels, dev.labels, _layers(plan)),
        *texts.findings(),
    ]


def _layers(plan: Plan) -> set[str] | None:
    return plan.layers if plan.has_config else None


def _find_misfits(plan: Plan) -> list[Finding]:
    """Encoders that are not for the pipeline's language."""
    return [
        Finding("warning", text)
        for c in plan.components
        if c.source and (text := describe_misfit(c.source, plan.nlp.lang, c.name))
    ]
