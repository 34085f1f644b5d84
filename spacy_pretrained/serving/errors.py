"""Messages of this folder, beside those that it shares with others.

Those of `Answers` go to clients. They say nothing of what a client has sent: an answer that repeats
it can be used against whoever reads it in a browser or a log.
"""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    SERVE_EXTRA = (
        "The server needs {package}, which is not installed. Run: pip install "
        "'spacy-pretrained[serve]'"
    )
    NO_PIPELINE = "Name a pipeline to serve: a folder or an installed package."
    NAME_TWICE = (
        "Two pipelines are called '{name}'. Give them names of their own: a={first} b={second}"
    )
    WEIGHTS_SYNTAX = (
        "--weights has to be NAME=NUMBER, separated by commas, with numbers of at least 0 and one "
        "above: a=9,b=1. It is '{weights}'."
    )
    WEIGHTS_UNKNOWN = "--weights names '{name}', which is not served. Served are: {names}."
    KEY_MISSING = (
        "Anybody who reaches '{host}' could use this server. Give --api-key-file, with a key a "
        "line, or say --no-key."
    )
    KEY_AND_NO_KEY = "--api-key-file and --no-key contradict each other: give one of them."
    KEY_FILE = "'{path}' has no key. Write one a line, of at least {least} characters."
    KEY_SHORT = (
        "A key in '{path}' (line {line}) is shorter than {least} characters, or has characters "
        "other than visible ASCII. Make one with: python -c "
        "'import secrets; print(secrets.token_urlsafe(32))'"
    )
    LIMIT = "--{name} has to be a number of at least 1, but it is {value}."
    FEW_MAY_WAIT = (
        "--max-waiting ({waiting}) has to be at least --max-texts ({texts}): no request of so many "
        "texts could be answered."
    )
    HOST_IS_NO_NAME = (
        "--allow-host takes the name of a host, without a port or a scheme. It is '{host}'."
    )
    WORKERS_NEED_FORK = (
        "--workers {workers}: several workers need an operating system that can fork a loaded "
        "pipeline, which this one cannot. Use 1."
    )
    RELOAD_NEEDS_FORK = (
        "--reload and --pid-file need an operating system that can fork a loaded pipeline, which "
        "this one cannot. Start the server again instead."
    )
    PID_FILE_TAKEN = "A server that runs has written '{path}'. Give --pid-file another path."
    PID_FILE_NO_LOCKS = (
        "'{path}' cannot be locked: its file system has no locks. Without one, nobody can tell "
        "whether the server that has written it still runs. Give --pid-file a path on a local disk."
    )
    PID_FILE_STALE = "No running server has written '{path}'. Start one with --pid-file {path}."
    GENERATION_NOT_STARTED = "Its process could not be started: {error}"
    GENERATION_DIED = "it ended with exit code {code} before it was ready"
    WORKER_DIED = "a worker ended with exit code {code} before it was ready"
    TOO_MANY_DEATHS = (
        "{what} ended {deaths} times within {seconds} seconds. The server ends: see above why."
    )


class Answers:
    NOT_FOUND = "There is nothing here. GET /openapi.json lists what there is."
    METHOD = "This path does not take this method. GET /openapi.json lists those that it takes."
    HOST = (
        "The Host header names no host of this server. Whoever runs it can add one with "
        "--allow-host."
    )
    KEY = "Send the key of this server: Authorization: Bearer KEY."
    CONTENT_TYPE = "Send JSON, with the header Content-Type: application/json."
    BODY_TOO_LARGE = "The body is larger than {limit:,} bytes. Send fewer texts at a time."
    BODY_TOO_SLOW = "The body did not arrive within {seconds:g} seconds."
    NOT_JSON = "The body is not JSON in UTF-8."
    NOT_AN_OBJECT = 'The body has to be an object, such as {"text": "…"}.'
    UNKNOWN_FIELD = "The body has a field that there is not. There are: {fields}."
    TEXT_OR_TEXTS = 'Give either "text", a string, or "texts", a list of strings.'
    TOO_MANY_TEXTS = '"texts" has more than {limit:,} texts. Send fewer at a time.'
    MODEL = '"model" has to be one of: {names}.'
    WHAT = '"what" has to be a list of some of: {parts}.'
    LABELS = (
        '"labels" has to be a list of at most {most} different strings, each of 1 to {longest} '
        "characters and not white space alone."
    )
    LABELS_NOT_TAKEN = (
        '"labels" is for zero-shot pipelines. This model has labels of its own: see GET /v1/models.'
    )
    LABELS_MISSING = 'This model knows no labels of its own: give "labels".'
    LABELS_TOO_FEW = 'Give at least two "labels": exactly one of them holds of a text.'
    TEXT_TOO_LONG = "The text has more than {limit:,} characters. Send it in parts."
    TEXT_NOT_UNICODE = "The text has half of a surrogate pair, which no UTF-8 can hold."
    WAITED = "The text waited for more than {seconds:g} seconds and was not annotated. Try again."
    ANNOTATION_FAILED = "The pipeline failed on this text. The server's log says where."
    FULL = "Too many texts are waiting. Try again in a second."
    FAILED = "The server failed. Its log says where."
    NOT_READY = "The server is not ready."
