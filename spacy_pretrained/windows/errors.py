"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    WINDOW_TOO_SMALL = (
        "The encoder's setting window = {window} leaves no room for text next to the {special} "
        "special pieces of a window. Set it higher, or to 0 for as many as the model takes."
    )
    HYPOTHESIS_TOO_LONG = (
        "The hypothesis '{hypothesis}' has {pieces} wordpieces. With the special ones, that is "
        "more than half of a window of {window} and leaves too little room for the text. Shorten "
        "the label, its description or the template, or raise `window` if the model takes more."
    )
