"""Messages that several folders share. Each folder has an `errors.py` of its own for the rest.

A message is a template: `raise ValueError(Errors.NAME.format(value=...))`. It says what is wrong,
with which value, and what to do.
"""


class Errors:
    CHECKPOINT_MISSING = (
        "The saved encoder has no {name}, so the pipeline's folder is incomplete. Copy or install "
        "the pipeline again."
    )
    WEIGHTS_BROKEN = (
        "The weights in {name} cannot be read because the file is damaged or cut short: {error}. "
        "Copy or download it again."
    )
    MODEL_BROKEN = "The model in '{source}' cannot be loaded: {error}"
    NOT_INITIALIZED = (
        "The encoder has no weights yet: call `nlp.initialize()` or load a trained pipeline."
    )
    ENCODER_NOT_TRAINABLE = (
        "The encoder '{name}' runs on a backend that does not train, such as OpenVINO. To start "
        "from pretrained weights, use an architecture that runs on torch, such as "
        "spacy-pretrained.TorchEncoder.v1."
    )
    SCORES_NOT_FINITE = (
        "Some scores of {of} are NaN or infinite{where}. Training has probably diverged: try a "
        "lower learning rate, gradient clipping or a longer warm-up."
    )
    META_BROKEN = (
        "'{path}' is not the meta.json of a pipeline: {error}. Copy or install the pipeline again."
    )
    DROPOUT_RATE = "dropout has to be at least 0 and less than 1, but it is {dropout}."
    LABEL_UNKNOWN = (
        "Component '{name}' met the label '{label}' in training, which it was not initialized "
        "with. Add it: nlp.get_pipe('{name}').add_label('{label}') keeps what was learnt. Or "
        "initialize the component with the whole corpus, or with a list of all labels."
    )
    LABEL_INVALID = (
        "A label of '{name}' has to be a string with more than white space in it, not {label!r}."
    )
    PREDICTION_NOT_FINITE = (
        "Component '{name}' gives scores that are NaN or infinite: its training diverged, or its "
        "weights are damaged. Load an earlier copy of the pipeline, or train it again with a "
        "lower [training.optimizer.learn_rate] or a longer warm-up."
    )
    RECORD_PARTS = "A record has no part {unknown!r}. The parts are {known}."
    RECORD_TOKENS = (
        "The record has no tokens, so no Doc can be made of it. Make records with 'tokens' among "
        "their parts."
    )
    RECORD_TEXT = (
        "The tokens of the record do not spell its text, from character {at} on. Was one of them "
        "changed?"
    )
    RECORD_SPAN = (
        "The record has a span from character {start} to {end}, but no tokens begin and end there. "
        "Offsets count characters (code points), not bytes or UTF-16 units."
    )
    PYARROW_MISSING = (
        "This needs the package `pyarrow`. Run: pip install 'spacy-pretrained[parquet]'"
    )


def count_of(n: int, one: str, several: str | None = None) -> str:
    """A number of things, as messages give it.

    one, several: What one is called, and several are: by default with an -s.

    >>> count_of(1, "step"), count_of(1200, "step"), count_of(2, "entity", "entities")
    ('1 step', '1,200 steps', '2 entities')
    """
    return f"{n:,} {one if n == 1 else several or one + 's'}"
