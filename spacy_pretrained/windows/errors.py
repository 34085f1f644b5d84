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
    STOCK_WINDOWS = (
        "The encoder's setting stock_windows.{name} is {value!r}, but has to be {wanted}. It says "
        "how a stock pipeline was trained: leave it as `quantize` wrote it."
    )
    STOCK_STRIDE = (
        "The encoder's setting stride = {stride} is for windows of sentences, but stock_windows "
        "asks for windows of {spans}. Remove it."
    )
    STOCK_WINDOW_TOO_LARGE = (
        "stock_windows.window = {window} wordpieces is more than the {limit} that the encoder "
        "takes at once. Leave both window and stock_windows.window as `quantize` wrote them."
    )
    SPAN_CUT = (
        "A span of {n_pieces} wordpieces is longer than the {limit} that the encoder takes at "
        "once. What is beyond has no vectors, as in the pipeline that this one was made of. It "
        "begins: '{text}'. Texts after this one may have such spans, too. With `quantize --windows "
        "sentences`, nothing is left out."
    )
