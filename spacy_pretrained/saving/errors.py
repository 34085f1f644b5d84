"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    FILE_CHANGED = (
        "'{path}' is not the file that was saved: its SHA-256 differs from the one in {listed}. It "
        "was damaged or changed. Copy or install the pipeline again."
    )
    FILES_MISSING = (
        "The pipeline is incomplete: {folder} has no {names}, which {listed} lists. Copy or "
        "install the pipeline again."
    )
    FILES_ADDED = (
        "{folder} has files that were not saved with it, since {listed} does not list them: "
        "{names}. Remove them, or copy or install the pipeline again."
    )
    LIST_BROKEN = (
        "'{path}', which lists the files of a saved pipeline, is damaged or changed: {error}. Copy "
        "or install the pipeline again."
    )
    LIST_MISSING = (
        "'{path}' is not there, although the component was saved with it. The pipeline is "
        "incomplete: copy or install it again."
    )
    WHOLE_LIST_MISSING = (
        "'{path}' is not there, although meta.json says that the pipeline was saved with it. The "
        "pipeline is incomplete, as when copying it is interrupted: copy or install it again. If "
        "this is the model-best of an interrupted training, take model-last."
    )
    NOT_WHOLE = "{path} is saved file by file, not in one step: {error}"
    LINK_LEAVES = (
        "'{path}' is a link to a place outside of the pipeline's folder, '{target}'. Such links "
        "are not followed. Put a copy of the file there."
    )
    TWO_HALVES = (
        "The pipeline in '{folder}' is not of one save: its meta.json belongs to the save "
        "{expected}, and component '{name}' to the save {found}. Saving was probably interrupted, "
        "or parts of two pipelines were mixed. Save or copy the whole pipeline again. If you have "
        "replaced meta.json yourself, give it the entry of the old one: "
        '"spacy_pretrained": {entry}.'
    )
    PART_BROKEN = (
        "'{path}', a part of component '{name}', cannot be read: {error}. It is damaged, cut "
        "short, or of another version. Copy or install the pipeline again."
    )
    LABELS_MISFIT = (
        "The labels of component '{name}' do not fit its weights: its {n_labels} labels take "
        "{expected} scores, and its weights give {found}. Its file `cfg` and its weights are of "
        "two trainings, or one of them was changed or lost. Copy or install the pipeline again."
    )
    OUTPUT_NO_PIPELINE = (
        "'{path}' exists and is not a folder of a pipeline, so it is not overwritten. Give another "
        "one."
    )
    OUTPUT_IS_MODEL = "'{path}' is the pipeline that is read: give another folder to write to."
    OUTPUT_AND_MODEL = (
        "The folder to write to, '{path}', and the pipeline that is read, '{model}', overlap: one "
        "holds the other. Give a folder beside the pipeline."
    )
    OUTPUT_HAS_MORE = (
        "'{path}' is a pipeline to be written over, but holds other things, too, which would be "
        "lost: {names}. Move them away, or give another folder."
    )
    OUTPUT_NOT_WRITABLE = "'{path}' cannot be written: no files can be made in '{above}'."
