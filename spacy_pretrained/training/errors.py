"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    LOGGED_LOSS_NOT_FINITE = (
        "Training diverged: the loss of '{component}' is {loss} at step {step}. Lower "
        "[training.optimizer.learn_rate], set the encoder's mixed_precision = false, and look for "
        "broken examples in the corpus."
    )
    PLOT_EMPTY = "{path} has no evaluation yet: train until the first line of the table."
    PLOT_NO_LOG = (
        "{path} is no log of a training. Give the .jsonl file that [training.logger] path names; "
        "its logger is spacy-pretrained.TrainingLogger.v1."
    )
    PLOT_MISSING = (
        "There is no log '{path}'. A training writes one if [training.logger] path names it, such "
        "as `--training.logger.path training.jsonl`."
    )
    PLOT_FOLDER = (
        "'{path}' is a folder. Give the log itself: the .jsonl file that [training.logger] path "
        "names."
    )
    PLOT_SUFFIX = "'{picture}' has no suffix: name the picture .png, .svg or .pdf."
    PLOT_FORMAT = (
        "'{picture}' cannot be drawn: matplotlib knows no pictures that end in '{suffix}'. Name it "
        ".png, .svg or .pdf."
    )
    PLOT_NO_MATPLOTLIB = (
        'Pictures are drawn by matplotlib. Install it: `pip install "spacy-pretrained[plot]"`.'
    )
    CONFIG_PURPOSE = (
        "There is no config for '{purpose}'. There is one for each of {names}; a file of your own "
        "has to end in .cfg."
    )
    CONFIG_FILE_MISSING = (
        "There is no config '{path}'. Check the path, or name a purpose, such as ner: "
        "`python -m spacy pretrained config` lists them."
    )
    CONFIG_FILE_BROKEN = "'{path}' is not a config that spaCy can read: {error}"
    CONFIG_STEPS = "Steps have to be 1 or more, or 0 for a length by the corpus, not {max_steps}."
    CONFIG_CORPUS_MISSING = (
        "There is no file or folder '{path}' to train or score on. Check the path, or make the "
        "file first: `python -m spacy pretrained convert`."
    )
    CONFIG_CORPUS_BROKEN = (
        "'{path}' is not a .spacy file, or it is damaged. `python -m spacy pretrained convert` "
        "makes such files from CoNLL-U, columns and others."
    )
    CONFIG_NO_WORDS = "'{path}' has no words: there is nothing to train on."
    CONFIG_LEFT_OUT = "The training corpus has no {what}, so the config has no '{name}'."
    CONFIG_IDLE = (
        "The training corpus has no {what}: '{name}' has nothing to learn from. Train on a corpus "
        "that has them, or choose another config."
    )
    CONFIG_IDLE_SOURCED = (
        "The training corpus has no {what}: '{name}' has nothing to learn from, and gets worse if "
        "the encoder that it shares is trained. Train on a corpus that has them, too, or freeze "
        "both: name them in training.frozen_components, and the encoder in "
        "training.annotating_components as well."
    )
    CONFIG_MODEL_NEEDED = (
        "'{purpose}' trains a pipeline further: name it with --model, a folder or an installed "
        "package."
    )
    CONFIG_MODEL_UNUSED = (
        "'{purpose}' has no paths.model: it does not begin with a trained pipeline. To train one "
        "further, the purpose is train_on."
    )
    CONFIG_LANG = (
        "spaCy has no language '{lang}'. Give xx in its place: its tokenizer splits text at spaces "
        "and punctuation, whatever the language."
    )
    CONFIG_MODEL_LANG = (
        "The pipeline '{model}' is for the language '{found}', and its components cannot be "
        "trained further in another one, '{lang}'. Leave out --lang, or train a new pipeline with "
        "another purpose."
    )
    CONFIG_ENCODER_EMPTY = "--encoder is empty. Name the pretrained weights, or leave it out."
    CONFIG_ENCODER_UNUSED = (
        "'{purpose}' has no encoder to choose: it comes with the pipeline. Leave out --encoder."
    )
    CONFIG_SPACY_TRANSFORMERS = (
        "This config has a component of spacy-transformers, which is not installed: "
        '`pip install "spacy-pretrained[spacy-transformers]"`.'
    )
    WARMUP = (
        "warmup_steps has to be from 0 to total_steps, and total_steps at least 1, but they are "
        "{warmup_steps} and {total_steps}. Set both in [training.optimizer.learn_rate], together "
        "with [training] max_steps."
    )
    RATE_ZERO = (
        "Component '{name}' is updated at a learning rate of 0: it learns nothing. In Python, "
        "nothing but you steps a schedule: call `optimizer.step_schedules()` after each update, or "
        "set a rate, such as `optimizer.learn_rate = 0.001`."
    )
    RATE_ENDED = (
        "Component '{name}' was updated {updates} times at a learning rate of 0, at the end of its "
        "schedule: it learns nothing more. In a config, total_steps of "
        "[training.optimizer.learn_rate] and max_steps of [training] should be the same; `python "
        "-m spacy pretrained config --max-steps` sets both. In Python, set a rate, such as "
        "`optimizer.learn_rate = 0.001`."
    )
    RATE_STUCK = (
        "Component '{name}' was updated {updates} times in a row at a learning rate of {rate:.3g}, "
        "in the middle of a warm-up. In Python, nothing but you steps a schedule: call "
        "`optimizer.step_schedules()` after each update, or set a rate, such as "
        "`optimizer.learn_rate = 0.001`."
    )
