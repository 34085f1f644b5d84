"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    STOPPED = "Stopped. Nothing has changed."
    UNUSED = "{options}: this would have no effect {why}. Leave it out."
    FILE_MISSING = "There is no file or folder '{path}'. Check the path."
    FILE_IS_FOLDER = "'{path}' is a folder. Give the path of a file."
    FOLDER_IS_FILE = "'{path}' cannot be a folder: there is a file of that name. Give another path."
    FILE_FORBIDDEN = "'{path}' cannot be opened: permission denied. Change its permissions."
    FILE_FAILED = "'{path}' cannot be read or written: {reason}."
