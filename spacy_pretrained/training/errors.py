"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    LOGGED_LOSS_NOT_FINITE = (
        "Training diverged: the loss of '{component}' is {loss} at step {step}. Lower "
        "[training.optimizer.learn_rate], set the encoder's mixed_precision = false, and look for "
        "broken examples in the corpus."
    )
