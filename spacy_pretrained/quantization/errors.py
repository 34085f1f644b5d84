"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    EXPORT_FAILED = (
        "'{name}' cannot be run on OpenVINO: {error}. Use another encoder, or leave the pipeline "
        "on torch."
    )
    PRECISION = "Unknown precision '{precision}'. Choose from {known}."
    QUANTIZED_ALREADY = (
        "The pipeline ({pipes}) does not run on torch, but on OpenVINO already or on a backend of "
        "another kind. Quantize the one that was trained on torch."
    )
    NO_BACKBONE = (
        "The pipeline ({pipes}) has no component with a pretrained transformer, such as "
        "'pretrained_encoder', 'zero_shot_textcat', or the stock 'transformer' and "
        "'curated_transformer': there is nothing to quantize."
    )
    WINDOWS = "Unknown windows '{windows}'. Choose from {known}."
    NOT_STOCK = (
        "precision = {precision} and windows = {windows}: precision 'torch', and windows that are "
        "not 'kept', are for pipelines with the stock `transformer` or `curated_transformer`. This "
        "one has none. Leave both out."
    )
    WINDOWS_NOT_JUDGED = (
        "--windows {windows} changes what the pipeline answers. Give --texts or --eval, with which "
        "the copy can be compared with the original."
    )
    WINDOWS_TOO_FEW_TEXTS = (
        "--windows {windows} changes what the pipeline answers, and {path} has too few texts to "
        "compare the copy with the original on some that it is not calibrated on. Give --eval, or "
        "--texts with more texts."
    )
    KEEP_PIECES_STOCK = (
        "'{name}' is a stock transformer, whose wordpieces cannot be left out. Convert the "
        "pipeline with --precision torch first. Then give --keep-pieces with that one."
    )
    AGREES_TOO_LITTLE = (
        "No recipe of {n} agrees with the original well enough, and nothing is written. The last "
        "one {why}. {advice}"
    )
    TRY_KEPT_OR_EVAL = (
        "Keep the windows that the pipeline was trained with, or give --eval to compare scores."
    )
    TRY_MORE_PIECES = (
        "Give --keep-pieces more texts of the kind that the pipeline is for, or give --eval to "
        "compare scores."
    )
    KEEP_PIECES_ARE_EVAL = (
        "'{path}' is given as texts whose wordpieces are kept and to evaluate on. The copy would "
        "lack none of their wordpieces, and the scores would hide what it lacks of other texts: "
        "keep the wordpieces of training texts."
    )
    TOO_FEW_TEXTS = (
        "INT8 is calibrated on at least {least} texts, better some hundreds, but there are only "
        "{n}. Give more."
    )
    NEEDS_NNCF = (
        "Quantizing needs NNCF, but '{name}' is not installed. Run: "
        "pip install 'spacy-pretrained[quantize]' - precision fp32 does not need it."
    )
    ENCODER_OF_ITS_OWN = (
        "Component '{name}' has an encoder of its own on torch, as `replace_listeners` gives it, "
        "and would still need torch. Quantize the pipeline whose components share one encoder, "
        "before listeners are replaced."
    )
    SEVERAL_ENCODERS = (
        "The encoder '{name}' is several side by side ({encoders}), of "
        "spacy-pretrained.ConcatEncoder.v1, which does not run on OpenVINO. Leave the pipeline on "
        "torch, or train it with one of them."
    )
    MAX_DROP = (
        "max_drop is in percent points and has to be from 0 to less than 100, but it is {max_drop}."
    )
    TEXTS_NEEDED = (
        "Precision int8 needs texts to calibrate on: give --texts, with texts of the kind the "
        "pipeline is for, such as those it was trained on."
    )
    TEXTS_FILE = "There is no file '{path}'."
    TEXTS_FORMAT = (
        "'{path}' is of an unknown format. Texts are read from .txt (a text a line), .jsonl (with "
        '"text" in each line) and .spacy files.'
    )
    TEXTS_BROKEN = "'{path}' cannot be read: {error}"
    TEXTS_LINE = 'Line {line} of {path} has no "text", or not a string there.'
    TEXTS_SURROGATE = (
        "Line {line} of {path}: character {start} of the text is half of a surrogate pair, which "
        "no UTF-8 can hold. An emoji was cut in two: remove that half."
    )
    TEXTS_EMPTY = "'{path}' has no texts in it."
    N_TEXTS = "n_texts has to be at least {least}, but it is {n_texts}."
    N_TEXTS_UNUSED = (
        "--n-texts is the number of texts to calibrate INT8 on, and {precision} is not calibrated: "
        "leave it out."
    )
    TEXTS_UNUSED = (
        "With --eval the copy is compared on the gold annotation, and {precision} is not "
        "calibrated: leave --texts out."
    )
    TEXTS_ARE_EVAL = (
        "'{path}' is given as texts to calibrate on and to evaluate on. The scores would say too "
        "little: calibrate on training texts."
    )
    EVAL_TOO_FEW = (
        "To tell a drop from chance takes at least {least} documents, better hundreds, but --eval "
        "has only {n}. `python -m spacy pretrained convert` makes more and shorter documents of "
        "the same file with `--doc-sentences 1` (columns) or `--max-sentences 1` (CoNLL-U). Or "
        "leave out --eval: then the copy is compared with the original on --texts."
    )
    EVAL_FORMAT = (
        "'{path}' is not a .spacy file. Convert the gold annotation first: `python -m spacy "
        "pretrained convert`."
    )
    EVAL_NOTHING = (
        "The gold documents have none of the annotation that the pipeline ({pipes}) predicts: "
        "there is nothing to evaluate."
    )
    EVAL_LOST = (
        "The pipeline lost {n} of {of} documents: a component failed there, and the pipeline's "
        "error handler went on. Let it raise the error to see which: nlp.set_error_handler("
        "spacy.util.raise_error)."
    )
    QUANTIZED_TOO_LOW = (
        "No recipe passed: with each of {n}, some score drops by more than {max_drop} points. "
        "Nothing is written. {advice}"
    )
    TRY_TEXTS_OR_FP32 = (
        "Give a higher max-drop, more and other texts, or leave the pipeline in fp32 (precision "
        "fp32), which runs without torch as well."
    )
    TRY_FP32 = (
        "Give a higher max-drop, or leave the pipeline in fp32 (precision fp32), which runs "
        "without torch as well."
    )
    TRY_KEPT_WINDOWS = (
        "Keep the windows that the pipeline was trained with (windows kept), or give a higher "
        "max-drop."
    )
    TRY_MAX_DROP = "Give a higher max-drop, or keep the original."
    QUANTIZED_UNSURE = (
        "No recipe of {n} is certain to pass, as --strict asks, and nothing is written. {doubt}"
    )
    STRICT_ZERO = (
        "No number of documents can show that a score does not drop at all: with --strict, give a "
        "max-drop above 0."
    )
    SCORES_NEED_EVAL = "{option} is about scores: give gold annotation, too, by --eval."
    AGREEMENT_OR_EVAL = (
        "With --eval the copy is judged by its scores, not by its agreement with the original: "
        "leave {options} out."
    )
    AGREEMENT_NEEDS_TEXTS = (
        "{options}: without texts the copy is not compared with the original. Give some, by "
        "--texts."
    )
    MIN_AGREEMENT = "The least agreement of {name} is in percent, from 0 to 100, but it is {value}."
    DOCS_LOST = (
        "Of {given}, the pipeline returns {expected} and the copy {found}, so that their "
        "annotation cannot be compared. A component leaves documents out, or an error handler "
        "(nlp.set_error_handler) skips those that fail. Correct it, or leave such texts out."
    )
    NOTHING_TO_COMPARE = (
        "There is no text on which to compare the copy with the original. Give some that are not "
        "among those to calibrate on."
    )
