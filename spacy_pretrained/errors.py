"""Every message a user can meet, in one place: what is wrong, with which value, and what to do.

A message is a template: `raise ValueError(Errors.NAME.format(value=...))`.
"""


class Errors:
    # wordpieces, alignment, windows

    # backends

    # encoder

    # conllu

    # conll18

    # mst, biaffine

    # pipes

    # training

    # quantize

    # scripts
    pass
