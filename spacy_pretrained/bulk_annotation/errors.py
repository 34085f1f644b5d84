"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    PIPELINE_MISSING = (
        "There is no pipeline '{pipeline}': no folder with a config.cfg, and no installed package."
    )
    EXCLUDED_UNKNOWN = (
        "The pipeline '{pipeline}' has no component '{name}' to --exclude. It has {components}."
    )
    INPUT_MISSING = "There is no file '{path}' to annotate. Check the path."
    INPUT_FORMAT = (
        "'{path}' is of an unknown format. Texts are read from {known}, and from '-' (see --stdin)."
    )
    INPUT_FIELD = (
        "{at}: there is no field '{field}'. The fields are {fields}. Name that of the text with "
        "--text-field, and others to keep with --keep."
    )
    INPUT_NO_FIELDS = (
        "'{path}' has no fields beside its texts, so '{field}' cannot be kept. Leave out --keep."
    )
    INPUT_ENCODING = "'{path}' is not UTF-8 ({error}). Save the file as UTF-8."
    INPUT_BROKEN = "'{path}' cannot be read: {error}. Get it again."
    INPUT_NO_TEXTS = "There are no texts in {paths}."
    INPUT_ONCE = "'-', the standard input, can be given only once."
    STDIN_CHANGED = (
        "The standard input is not what it was when the job in '{folder}' began: it differs from "
        "the copy of that, '{copy}', or one of the two was cut short. To go on with the job, give "
        "the same input again, or none (< /dev/null). For other texts, give another folder."
    )
    ROW_JSON = "The line is not a JSON object: {error}."
    ROW_TEXT = "The field '{field}' has to be a string, but it is {value}."
    ROW_KEPT = "The field '{field}' is {value}, but the texts before it have {type} there."
    ROW_DEPTH = (
        "The field '{field}' has more than {most} lists or objects in one another. Flatten it, or "
        "leave it out of --keep."
    )
    KEPT_NAME = (
        "The field '{field}' cannot be kept, because records have a field of that name. Rename it."
    )
    SILVER_FORMAT = "--silver writes .spacy files, and no {format}. Leave out --format."
    TEXT_TOO_LONG = (
        "The text has {length:,} characters, and the limit is {limit:,} (--max-characters)."
    )
    TEXT_SURROGATE = (
        "Character {at} of the text is {code}, half of a surrogate pair and no character of its "
        "own. Decode the text again, with UTF-16 pairs joined."
    )
    TEXT_COMPONENT = "Component '{name}' failed: {error}"
    TEXT_VANISHED = "A component of the pipeline gave no Doc back, and no error."
    TEXT_KILLS = "The process that annotated it ended each time: {how}."
    TEXT_NEAR_KILLER = (
        "The process that annotated its shard ended {n} times: {how}. The text may be innocent."
    )
    TEXT_WITHOUT_WORDS = "The text has no words, and CoNLL-U cannot hold it."
    JOB_DIFFERS = (
        "The folder '{folder}' is of another job: {differences}. Give the same arguments again to "
        "go on with that job, or another folder."
    )
    JOB_UNREADABLE = "'{path}' cannot be read: {error}. To begin a new job, give another folder."
    JOB_STRANGE = (
        "The folder '{folder}' has files such as '{name}', but no job.json that says what made "
        "them. Give an empty folder, or a new one."
    )
    JOB_RUNNING = "Another process is at work in the folder '{folder}'. Wait until it has ended."
    WORKER_LOAD = "The pipeline cannot be loaded: {error}"
    WORKER_WRITE = (
        "A part cannot be written to '{folder}': {error}. When you have corrected this, the "
        "same command resumes the job."
    )
    WORKERS_DIE = (
        "{n} processes in a row ended before they had loaded the pipeline: {how}. Is there enough "
        "memory? With fewer --workers each has more."
    )
    ENDED_BY = "killed by signal {number} ({name})"
    ENDED_WITH = "its process ended with exit code {code}"
    KILLED_FOR_MEMORY = ", as when memory runs out"
    BATCH_TYPE = (
        "A batch has to be a dict of columns, a pandas DataFrame or an Arrow table or record "
        "batch, not {type}."
    )
    BATCH_COLUMN = "The batch has no column '{column}'. Its columns are {columns}."
    BATCH_TAKEN = (
        "The batch has a column '{column}' already, which the annotation would go to. Rename it."
    )
