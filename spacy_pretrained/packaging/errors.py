"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    PACKAGE_NO_PIPELINE = (
        "'{path}' is no folder of a pipeline: it has no meta.json and config.cfg. Train one first, "
        "and give the folder that has them, such as training/model-best."
    )
    PACKAGE_FILE = "'{path}' is a file: give another folder for the wheel."
    PACKAGE_INSIDE = (
        "'{path}' is inside of the pipeline to package, '{pipeline}': give another folder for the "
        "wheel."
    )
    PACKAGE_NAME = (
        "'{name}' has no character that a package name may have. Give a name with letters a-z."
    )
    PACKAGE_VERSION = "'{version}' is no version. Versions are numbers with dots, such as 1.0.0."
    PACKAGE_ABOUT = (
        '\'{path}\' has to be a JSON file with one object, such as {{"license": "MIT"}}.'
    )
    PACKAGE_SOURCES = (
        "'sources' in '{path}' has to be a list of names, or of objects with a name, such as "
        '[{{"name": "My corpus", "license": "CC0"}}].'
    )
    PACKAGE_META = "The package's meta is not valid: {errors}. Correct the file given as about."
    PACKAGE_PIP = (
        "pip could not build the wheel. Where setuptools is missing or old, `python -m pip install "
        "--upgrade setuptools wheel` helps. It said: {said}"
    )
