"""The OpenVINO backend gives what torch gives, in threads, copies and other processes."""

import copy
import hashlib
import json
import multiprocessing
import os
import pickle
import re
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS
from numpy.testing import assert_allclose
from random_windows import make_batch, make_row
from thinc.api import Adam, NumpyOps, use_ops

from spacy_pretrained.backends import openvino_session
from spacy_pretrained.backends.openvino_backend import (
    EXACT,
    MODEL,
    WEIGHTS,
    OpenVinoShim,
    saturates,
)
from spacy_pretrained.checkpoints.checkpoint import CHECKSUMS
from spacy_pretrained.encoder.token_encoder import (
    build_openvino_encoder,
    build_torch_encoder,
    get_shim,
    plan_batches,
)
from spacy_pretrained.quantization.openvino_copy import to_files
from spacy_pretrained.quantization.recipes import distance, quantize_static, run
from spacy_pretrained.runtime.no_telemetry import import_openvino
from spacy_pretrained.windows.batches import WindowBatch

openvino = import_openvino()
SHAPES = [(1, 1), (1, 7), (3, 16), (2, 31), (5, 64), (1, 64)]
KINDS = ["bert", "roberta", "albert", "deberta-v2", "modernbert"]
MORE_KINDS = ["distilbert", "xlm-r", "mpnet", "electra", "camembert", "mobilebert", "xlnet"]


BATCHES = [make_batch(4, length, 0, seed=length) for length in (5, 9, 17, 33, 40, 64)]


@pytest.fixture(scope="module")
def export(tiny_source):
    """A function from a kind of model to a torch shim and the files of its OpenVINO twin."""
    from spacy_pretrained.quantization.torch_export import to_openvino

    made = {}

    def find(kind: str):
        if kind not in made:
            shim = get_shim(build_torch_encoder())
            shim.load_source(Path(tiny_source(kind)))
            made[kind] = shim, to_files(shim.checkpoint, to_openvino(shim))
        return made[kind]

    return find


@pytest.fixture
def files(export) -> dict[str, bytes]:
    return dict(export("bert")[1])


@pytest.fixture
def shim(files) -> OpenVinoShim:
    return OpenVinoShim(threads=2).from_files(files)


def predict(shim, batches: list[WindowBatch] = BATCHES) -> list[np.ndarray]:
    return [vectors.copy() for vectors in shim.predict(batches)]


def assert_same(found: list[np.ndarray], expected: list[np.ndarray], atol: float = 0.0) -> None:
    assert len(found) == len(expected)
    for one, two in zip(found, expected):
        assert_allclose(one, two, atol=atol, rtol=0)


@pytest.mark.parametrize(
    "kind", [*KINDS, *(pytest.param(kind, marks=pytest.mark.slow) for kind in MORE_KINDS)]
)
def test_agrees_with_torch_where_there_are_pieces(export, kind):
    torch_shim, files = export(kind)
    shim = OpenVinoShim(threads=1).from_files(files)
    batches = [make_batch(*shape, torch_shim.checkpoint.layout.pad) for shape in SHAPES]
    for batch, one, two in zip(batches, torch_shim.predict(batches), predict(shim, batches)):
        assert one.shape == two.shape == (*batch.ids.shape, 32)
        inside = batch.mask > 0
        scale = max(1.0, float(np.abs(one).max()))
        assert_allclose(two[inside], one[inside], atol=1e-4 * scale, rtol=0)


@pytest.mark.slow
def test_a_model_that_changes_in_conversion_is_refused(needs_torch, tiny_source):
    from spacy_pretrained.quantization.torch_export import to_openvino

    shim = get_shim(build_torch_encoder())
    shim.load_source(Path(tiny_source("longformer")))
    with pytest.raises(ValueError, match="'longformer' cannot be run on OpenVINO"):
        to_openvino(shim)


def test_masked_pieces_do_not_matter(shim):
    batch = make_batch(4, 20, 0)
    ids = np.where(batch.mask == 1, batch.ids, 77)
    other = WindowBatch(ids, batch.mask, batch.windows)
    one, two = predict(shim, [batch, other])
    assert_allclose(one[batch.mask == 1], two[batch.mask == 1], atol=1e-6)
    (alone,) = predict(
        shim, [WindowBatch(batch.ids[3:, :5], batch.mask[3:, :5], batch.windows[3:])]
    )
    assert batch.mask[3].sum() == 5
    assert_allclose(alone[0], one[3, :5], atol=1e-5)


@pytest.mark.parametrize("kind", ["bert", "roberta", "albert", "distilbert", "mpnet"])
def test_windows_of_one_row_do_not_see_each_other(needs_torch, export, kind):
    torch_shim, files = export(kind)
    shim = OpenVinoShim(threads=1).from_files(files)
    assert shim.checkpoint.layout.packed
    batch = make_row([9, 1, 20, 30], 64, shim.checkpoint.layout.pad)
    (found,) = predict(shim, [batch])
    for number in range(1, 5):
        ids = batch.ids[batch.mask == number][None]
        (alone,) = torch_shim.predict([WindowBatch(ids, np.ones_like(ids), np.zeros((1, 1)))])
        scale = max(1.0, float(np.abs(alone).max()))
        assert_allclose(found[batch.mask == number], alone[0], atol=1e-4 * scale, rtol=0)


@pytest.mark.parametrize("kind", ["modernbert", "deberta-v2"])
def test_a_model_that_cannot_keep_windows_apart_has_one_a_row(needs_torch, export, kind):
    """ModernBERT's narrow attention would be lost, DeBERTa counts positions by itself."""
    _, files = export(kind)
    assert not OpenVinoShim(threads=1).from_files(files).checkpoint.layout.packed


@pytest.mark.parametrize("kind", ["bert", "modernbert"])
def test_the_whole_encoder_agrees_with_torch(export, kind):
    torch_shim, files = export(kind)
    one = build_torch_encoder(window=50, stride=40, orth_width=8)
    get_shim(one).from_files(torch_shim.to_files())
    two = build_openvino_encoder(window=50, stride=40, orth_width=8)
    get_shim(two).from_files(files)
    for model in (one, two):
        model.initialize()
    two.get_ref("orth").from_bytes(one.get_ref("orth").to_bytes())
    docs = list(spacy.blank("en").pipe(HARD_TEXTS))
    assert_same(two.predict(docs), one.predict(docs), atol=1e-4)
    for doc, vectors in zip(docs, two.predict(docs)):
        assert_allclose(two.predict([doc])[0], vectors, atol=1e-4)


def test_a_pipeline_from_before_rows_were_packed_gives_the_same(needs_torch, export):
    """Its layout.json does not speak of it."""
    files = export("bert")[1]
    layout = json.loads(files["layout.json"])
    assert layout.pop("packed") is True
    models = [build_openvino_encoder(orth_width=0) for _ in range(2)]
    for model, own in zip(models, (files, files | {"layout.json": json.dumps(layout).encode()})):
        get_shim(model).from_files(own)
        model.initialize()
    docs = list(spacy.blank("en").pipe(HARD_TEXTS))
    shapes = [{batch.ids.shape[1] for batch in plan_batches(model, docs)} for model in models]
    assert shapes[0] != shapes[1]
    assert_same(models[0].predict(docs), models[1].predict(docs), atol=1e-4)


@pytest.mark.parametrize("threads", [0, 1, 2, 3])
def test_the_number_of_threads_does_not_matter(files, threads):
    expected = predict(OpenVinoShim(threads=1).from_files(files))
    assert_same(predict(OpenVinoShim(threads).from_files(files)), expected, atol=1e-6)


def test_a_fork_waits_for_what_is_under_way_and_nothing_begins_until_it_is_over(shim):
    expected = predict(shim, BATCHES)
    stream = shim.predict(BATCHES)
    next(stream)
    (session,) = [s for s in shim._sessions.values() if s.under_way]
    openvino_session.before_fork()
    try:
        assert session.under_way and all(request.wait_for(0) for request in session.under_way)
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(predict, shim, BATCHES[:1])  # many would wait for their turn
            assert not wait([other], timeout=0.3).done
            openvino_session.after_fork_in_parent()
            assert_same(other.result(timeout=30), expected[:1], atol=1e-6)
    finally:
        stream.close()
    assert not session.under_way


def test_a_model_that_gives_nan_is_not_taken():
    import torch

    from spacy_pretrained.quantization.torch_export import _convert

    class Logarithm(torch.nn.Module):
        def forward(self, input_ids, attention_mask):
            return (input_ids * attention_mask).float().log()[..., None]

    def example(piece: int) -> dict:
        return {name: torch.full((2, 3), piece) for name in ("input_ids", "attention_mask")}

    shim = SimpleNamespace(module=SimpleNamespace(config=SimpleNamespace(model_type="log")))
    assert _convert(Logarithm(), [example(1), example(2)], shim)
    example_of_nan = {**example(1), "input_ids": torch.full((2, 3), -1)}
    with pytest.raises(ValueError, match=r"'log' cannot be run on OpenVINO.*nan"):
        _convert(Logarithm(), [example(1), example(2), example_of_nan], shim)


@pytest.mark.parametrize("n_batches", [0, 1, 2, 3, 6])
def test_vectors_come_in_order(shim, n_batches):
    found = predict(shim, BATCHES[:n_batches])
    assert [v.shape[:2] for v in found] == [b.ids.shape for b in BATCHES[:n_batches]]
    assert_same(found, [predict(shim, [b])[0] for b in BATCHES[:n_batches]], atol=1e-6)


def test_a_single_batch_has_all_cores_unless_others_are_at_work(shim):
    def streams() -> dict[int, int]:
        return {n: session.n_callers for n, session in shim._sessions.items()}

    assert predict(shim, []) == [] and streams() == {}  # nothing is compiled for white space
    expected = predict(shim, BATCHES[:1])
    assert streams() == {1: 0}
    many = shim.predict(BATCHES)
    next(many)
    assert streams() == {1: 0, 2: 1}
    single = shim.predict(BATCHES[:1])
    assert_same([next(single)], expected, atol=1e-6)
    assert streams() == {1: 0, 2: 2}
    many.close()
    single.close()
    assert streams() == {1: 0, 2: 0}
    single = shim.predict(BATCHES[:1])
    next(single)
    assert streams() == {1: 1, 2: 0}


def test_threads_of_several_processes_are_not_pinned_to_the_same_cores(shim):
    predict(shim, BATCHES[:1])
    predict(shim, BATCHES)
    compiled = [session.compiled for session in shim._sessions.values()]
    assert len(compiled) == 2
    assert not any(one.get_property("ENABLE_CPU_PINNING") for one in compiled)


def test_many_batches_go_ahead_of_those_that_are_asked_for_later(shim, monkeypatch):
    monkeypatch.setattr(openvino_session, "LONGEST_TURN", 30)
    expected = predict(shim)
    first = shim.predict(BATCHES)
    found = [next(first).copy()]
    with ThreadPoolExecutor(2) as pool:
        later = pool.submit(predict, shim, BATCHES)
        single = pool.submit(predict, shim, BATCHES[:1])
        assert_same(single.result(timeout=30), expected[:1], atol=1e-6)  # does not wait
        assert not wait([later], timeout=0.3).done
        found += [vectors.copy() for vectors in first]
        assert_same(later.result(timeout=30), expected, atol=1e-6)
    assert_same(found, expected, atol=1e-6)


@pytest.mark.parametrize("ending", ["held", "closed"])
def test_nobody_waits_for_ever_for_a_prediction_that_goes_no_further(shim, monkeypatch, ending):
    expected = predict(shim)
    monkeypatch.setattr(openvino_session, "LONGEST_TURN", 0.2 if ending == "held" else 30)
    held = shim.predict(BATCHES)
    next(held)
    if ending == "closed":
        held.close()
    with ThreadPoolExecutor(1) as pool:
        assert_same(pool.submit(predict, shim, BATCHES).result(timeout=20), expected, atol=1e-6)
    assert_same(predict(shim), expected, atol=1e-6)  # also in the same thread
    held.close()
    assert not any(session.turn.locked() for session in shim._sessions.values())


@pytest.mark.parametrize("shape", [(4,), (4, 3)], ids=["when it starts", "while it runs"])
def test_a_batch_that_the_engine_refuses_ends_the_turn_and_harms_no_other(shim, monkeypatch, shape):
    monkeypatch.setattr(openvino_session, "LONGEST_TURN", 30)
    expected = predict(shim)
    mask = np.ones(shape, dtype="int64")
    refused = WindowBatch(BATCHES[0].ids, mask, BATCHES[0].windows)
    stream = shim.predict([*BATCHES[:1], refused, *BATCHES])
    with pytest.raises(RuntimeError) as error:
        list(stream)
    assert not shim._sessions  # it could answer one more batch with that error: once in 25 times
    with ThreadPoolExecutor(1) as pool:
        assert_same(pool.submit(predict, shim, BATCHES).result(timeout=20), expected, atol=1e-6)
    assert error.tb  # all that time it was kept, and with it whatever its frames hold


def test_batches_may_come_from_a_generator_and_stop_early(shim):
    expected = predict(shim)
    for _ in range(3):
        vectors = shim.predict(iter(BATCHES))
        assert_same([next(vectors).copy()], expected[:1], atol=1e-6)
        vectors.close()
    assert_same(predict(shim), expected, atol=1e-6)


def test_threads_share_one_shim(shim):
    expected = [predict(shim, [batch])[0] for batch in BATCHES]
    shim.from_files(shim.to_files())  # so that all want to compile at once
    wrong = []

    def run(i: int) -> None:
        order = np.random.default_rng(i).permutation(len(BATCHES)).tolist() * 3
        for j, vectors in zip(order, shim.predict([BATCHES[j] for j in order])):
            if not np.allclose(vectors, expected[j], atol=1e-5):
                wrong.append((i, j))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_child_may_let_go_of_its_parents_model(shim):
    predict(shim)
    process = multiprocessing.get_context("fork").Process(
        target=lambda: shim.from_files(shim.to_files())
    )
    process.start()
    process.join(60)
    assert process.exitcode == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks with threads
def test_a_child_does_not_wait_for_a_thread_that_it_has_not(shim):
    context = multiprocessing.get_context("fork")
    with shim._lock:  # as of a thread that compiles when another one forks
        process = context.Process(target=lambda: predict(shim), daemon=True)
        process.start()
    process.join(60)
    assert process.exitcode == 0


@pytest.mark.parametrize("used_before", [False, True])
def test_copies_are_equal(shim, used_before):
    if used_before:
        predict(shim)
    others = [
        shim.copy(),
        copy.deepcopy(shim),
        pickle.loads(pickle.dumps(shim)),
        OpenVinoShim(shim.threads).from_bytes(shim.to_bytes()),
    ]
    for other in others:
        assert other.threads == shim.threads and other.to_files() == shim.to_files()
        assert other.checkpoint == shim.checkpoint
        assert_same(predict(other), predict(shim), atol=1e-6)


def _child(shim: OpenVinoShim, queue) -> None:
    queue.put(predict(shim))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks with threads
def test_other_processes_give_the_same(shim, method):
    expected = predict(shim)
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    n_processes = 2 if method == "fork" else 1  # a spawned one imports torch first
    processes = [context.Process(target=_child, args=(shim, queue)) for _ in range(n_processes)]
    for process in processes:
        process.start()
    for _ in processes:
        assert_same(queue.get(timeout=120), expected, atol=1e-6)
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert_same(predict(shim), expected, atol=1e-6)


def test_there_is_nothing_to_train(shim):
    expected = predict(shim, BATCHES[:1])
    vectors, backprop = shim.begin_update(BATCHES[0])
    shim.predict(BATCHES)  # an array of an update stays as it is
    assert_same([vectors], expected, atol=1e-6)
    assert backprop(vectors) is None
    shim.finish_update(Adam(1.0))
    assert_same(predict(shim, BATCHES[:1]), expected, atol=1e-6)


def test_what_is_beside_the_backbone_trains(files):
    model = build_openvino_encoder(orth_width=8)
    get_shim(model).from_files(files)
    model.initialize()
    docs = list(spacy.blank("en").pipe(HARD_TEXTS))
    before = model.predict(docs)
    vectors, backprop = model.begin_update(docs)
    backprop([v - 1 for v in vectors])
    model.finish_update(Adam(0.01))
    after = model.predict(docs)
    assert_same([v[:, :32] for v in after], [v[:, :32] for v in before], atol=1e-6)
    distances = [sum(((v[:, 32:] - 1) ** 2).sum() for v in vs) for vs in (before, after)]
    assert distances[1] < distances[0]


def test_vectors_are_of_the_ops_in_use(shim):
    with use_ops("numpy"):
        assert isinstance(predict(shim)[0], NumpyOps().xp.ndarray)


# Files


def test_an_empty_shim_has_no_files_and_says_so():
    shim = OpenVinoShim(threads=1)
    assert shim.to_files() == {} and shim.copy().to_files() == {}
    with pytest.raises(ValueError, match="no weights yet"):
        predict(shim)


@pytest.mark.parametrize("name", [MODEL, WEIGHTS, "config.json", "tokenizer.json", "layout.json"])
def test_a_missing_file_is_named(files, name):
    del files[name]
    with pytest.raises(ValueError, match=f"has no {name}"):
        OpenVinoShim(threads=1).from_files(files)


@pytest.mark.parametrize("name", [MODEL, WEIGHTS])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_file_says_so(files, name, share):
    files[name] = files[name][: int(share * len(files[name]))]
    with pytest.raises(ValueError, match="damaged or cut short"):
        predict(OpenVinoShim(threads=1).from_files(files))


def test_a_file_of_something_else_says_so(files):
    files[MODEL] = b"<html>not found</html>"
    with pytest.raises(ValueError, match="damaged or cut short"):
        predict(OpenVinoShim(threads=1).from_files(files))


def test_a_changed_byte_is_never_run(files):
    """By the checksums that 0.1.0 saved with it; later on the component has them."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files = files | {CHECKSUMS: json.dumps(digests).encode("utf8")}
    assert CHECKSUMS not in OpenVinoShim(threads=1).from_files(files).to_files()
    for name in (MODEL, WEIGHTS):
        middle = len(files[name]) // 2
        changed = bytearray(files[name])
        changed[middle] ^= 1
        with pytest.raises(ValueError, match=f"{name} is not the file that was saved"):
            OpenVinoShim(threads=1).from_files(files | {name: bytes(changed)})


def test_a_model_of_a_newer_openvino_says_so(files):
    """It is only said where the model cannot be run; many newer ones can."""
    newer = re.sub(
        rb'Runtime_version value="[^"]*"', b'Runtime_version value="2999.1"', files[MODEL]
    )
    predict(OpenVinoShim(threads=1).from_files(files | {MODEL: newer}))
    unknown = newer.replace(b'type="MatMul"', b'type="MatMulOfTheFuture"')
    assert unknown != newer
    with pytest.raises(ValueError, match=r"written by OpenVINO 2999\.1.*pip install"):
        predict(OpenVinoShim(threads=1).from_files(files | {MODEL: unknown}))


# INT8


def make_products(width: int = 64) -> openvino.Model:
    """Each of the outputs is the sum of the inputs, in INT8 with the largest products."""
    from openvino import opset8

    inputs = opset8.parameter([-1, width], np.float32)
    weights = opset8.multiply(
        opset8.convert(opset8.constant(np.full((width, width), 127, dtype="int8")), "f32"),
        opset8.constant(np.full((width, 1), 1 / 127, dtype="float32")),
    )
    bounds = (np.float32(value) for value in (0, 1, 0, 1))
    quantized = opset8.fake_quantize(inputs, *bounds, 256)
    return openvino.Model([opset8.matmul(quantized, weights, False, True)], [inputs])


def products(**settings) -> tuple[np.ndarray, bool]:
    """What should be 64, and whether the backend knows that INT8 gives something else here."""
    compiled = openvino.compile_model(make_products(), "CPU", settings)
    return compiled(np.ones((7, 64), dtype="float32"))[0], saturates()


def test_int8_is_exact_or_known_not_to_be():
    exact, _ = products(**EXACT)
    assert_allclose(exact, 64, rtol=1e-3)
    found, seen = products()
    assert seen == (not np.allclose(found, 64, rtol=1e-2))


def _take_the_cpu_for_an_older_one() -> None:
    os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"


@pytest.mark.slow
def test_int8_that_saturates_is_seen():
    """On a CPU with VNNI as well: oneDNN can be told not to use it, before a process first does."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, _take_the_cpu_for_an_older_one) as pool:
        found, seen = pool.submit(products).result()
    if np.allclose(found, 64, rtol=1e-2):
        pytest.skip("this oneDNN does not heed ONEDNN_MAX_CPU_ISA, or has no such INT8")
    assert seen


def test_int8_is_as_on_any_other_cpu(export):
    """What the CPU at hand makes of a quantized model is what the model says, computed in fp32."""
    shim, files = export("bert")
    core = openvino.Core()
    model = core.read_model(files[MODEL], openvino.Tensor(np.frombuffer(files[WEIGHTS], "uint8")))
    quantized = quantize_static(model, BATCHES, 0.5)
    files = to_files(shim.checkpoint, quantized)
    found = [v[b.mask == 1] for v, b in zip(predict(OpenVinoShim(2).from_files(files)), BATCHES)]
    assert distance(found, run(quantized, BATCHES)) < 0.05


def test_a_model_with_other_inputs_is_named(files):
    files[MODEL] = files[MODEL].replace(b"attention_mask", b"attention_musk")
    with pytest.raises(ValueError, match=r"model\.xml takes the inputs .*not attention_mask"):
        predict(OpenVinoShim(threads=1).from_files(files))


def test_weights_that_were_cut_are_named(files):
    files[WEIGHTS] = files[WEIGHTS][: len(files[WEIGHTS]) // 2]
    with pytest.raises(ValueError, match=r"weights in model\.bin"):
        predict(OpenVinoShim(threads=1).from_files(files))
