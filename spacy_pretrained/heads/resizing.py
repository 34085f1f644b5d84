"""Layers whose sizes come from the data, and may come anew: `nlp.initialize()` begins again."""

from thinc.api import Model

# What the score of a label that is added is less than that of another one: far enough not to
# matter, near enough to be learnt soon.
FAR_BELOW = 7.0


def resize(model: Model, **dims: int | None) -> None:
    """Set dims of a layer, ahead of its parameters; None for those that are not known yet.

    Parameters of other sizes are forgotten, and so is what belongs to them: their gradients, and
    the moments of optimizers, which know a layer by its id. So it gets a new one.
    """
    if all(model.maybe_get_dim(name) == size for name, size in dims.items()):
        return
    if any(model.has_param(name) for name in model.param_names):
        for name in model.param_names:
            model.set_param(name, None)
        with Model.global_id_lock:
            Model.global_id += 1
            model.id = Model.global_id
    for name, size in dims.items():
        model.set_dim(name, size, force=True)
