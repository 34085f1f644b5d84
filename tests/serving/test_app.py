"""The endpoints, over real sockets."""

import json
import random
import socket
import threading
import time
from collections import Counter

import pytest
import spacy
from serving_client import (
    MISSING,
    SECONDS,
    TEXT,
    Client,
    is_closed,
    send_part,
    serve_in_thread,
    wait_for,
)
from spacy.language import Language

from spacy_pretrained.records import PARTS, to_record
from spacy_pretrained.serving.annotate import Failed
from spacy_pretrained.serving.pipelines import Served
from spacy_pretrained.serving.settings import Limits, Settings

BAD, WAIT = "this one fails", "this one waits"
HEAD = b"POST /v1/annotate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


HAS_BEGUN, MAY_GO_ON = threading.Event(), threading.Event()


@Language.component("waits_and_fails")
def wait_and_fail(doc):
    if doc.text == WAIT:
        HAS_BEGUN.set()
        assert MAY_GO_ON.wait(SECONDS)
    if BAD in doc.text:
        raise ValueError(doc.text)
    return doc


@pytest.fixture(scope="module")
def slow() -> Served:
    nlp = spacy.blank("xx")
    nlp.add_pipe("waits_and_fails")
    return Served("slow", nlp, "")


# What is answered


def test_a_text(client, syntax):
    answer = client.annotate({"text": TEXT})
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    assert answer.json["model"] == "syntax" and answer.json["version"] == "0.0.0"
    (found,) = answer.json["docs"]
    expected = to_record(syntax.nlp(TEXT))
    assert found.keys() == expected.keys()
    assert found["ents"][0]["label"] == "PERSON"
    for one, other in zip(found["tokens"], expected["tokens"], strict=True):
        assert one | {"confidence": 0} == other | {"confidence": 0}
        assert one["confidence"] == pytest.approx(other["confidence"], abs=1e-3)


def test_texts_are_answered_in_their_order(client):
    texts = ["Ada.", "", " ", "Zürich 😀 sleeps.", "Ada.", "\x00\n"]
    docs = client.annotate({"texts": texts}).json["docs"]
    assert [doc["text"] for doc in docs] == texts
    assert client.annotate({"texts": []}).json["docs"] == []


def test_parts_and_labels(client):
    body = {"text": TEXT, "model": "zero-shot", "what": ["cats"], "labels": ["x", "y", "z"]}
    (doc,) = client.annotate(body).json["docs"]
    assert doc.keys() == {"text", "cats", "truncated"}
    assert [cat["label"] for cat in doc["cats"]] == ["x", "y", "z"]
    assert sum(cat["score"] for cat in doc["cats"]) == pytest.approx(1, abs=1e-4)
    (doc,) = client.annotate(body | {"labels": None, "what": None}).json["docs"]
    assert [cat["label"] for cat in doc["cats"]] == ["the sea", "dogs", "science"]
    assert set(PARTS) - {"deps"} < doc.keys()
    assert client.annotate({"text": TEXT, "what": []}).json["docs"][0].keys() == {
        "text",
        "truncated",
    }


def test_models(client):
    syntax, zero_shot = client.get("/v1/models").json["models"]
    assert (syntax["name"], syntax["version"], syntax["digest"]) == ("syntax", "0.0.0", "0" * 64)
    assert syntax["labels"]["pretrained_ner"] == ["GPE", "PERSON"]
    assert "trainable_lemmatizer" not in syntax["labels"]
    assert (syntax["takes_labels"], zero_shot["takes_labels"]) == (False, True)


def test_health_and_figures(client):
    client.annotate()
    assert client.get("/health/live").status == client.get("/health/ready").status == 200
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b'requests_total{model="syntax",version="0.0.0",status="200"}' in answer.body


def test_openapi_names_what_there_is(client):
    described = client.get("/openapi.json").json
    assert set(described["paths"]) == {
        *("/v1/annotate", "/v1/models", "/health/live", "/health/ready", "/metrics")
    }
    schema = described["paths"]["/v1/annotate"]["post"]["requestBody"]["content"]
    properties = schema["application/json"]["schema"]["properties"]
    assert properties["model"]["enum"] == ["syntax", "zero-shot"]
    for path in ("/docs", "/redoc", "/v1/models/"):
        assert client.get(path).status == 404


# What is not understood

WRONG = {
    "no object": b"[]",
    "a number": b"1",
    "neither text nor texts": b"{}",
    "both": {"text": "a", "texts": ["b"]},
    "text is a number": {"text": 1},
    "text is a list": {"text": ["a"]},
    "texts is a string": {"texts": "a"},
    "texts has a number": {"texts": ["a", 1]},
    "texts has null": {"texts": ["a", None]},
    "too many": {"texts": ["a"] * 17},
    "an unknown field": {"text": "a", "<script>": 1},
    "an unknown model": {"text": "a", "model": "<script>"},
    "model is a path": {"text": "a", "model": "../../etc/passwd"},
    "model is a list": {"text": "a", "model": []},
    "an unknown part": {"text": "a", "what": ["<script>"]},
    "what is a string": {"text": "a", "what": "cats"},
    "what has a list": {"text": "a", "what": [[]]},
    "labels where there are none": {"text": "a", "labels": ["x", "y"]},
    "no labels": {"text": "a", "model": "zero-shot", "labels": []},
    "one label": {"text": "a", "model": "zero-shot", "labels": ["x"]},
    "labels twice": {"text": "a", "model": "zero-shot", "labels": ["x", "x"]},
    "an empty label": {"text": "a", "model": "zero-shot", "labels": ["x", " "]},
    "a long label": {"text": "a", "model": "zero-shot", "labels": ["x", "y" * 201]},
    "many labels": {"text": "a", "model": "zero-shot", "labels": [str(i) for i in range(201)]},
    "half a pair in a label": b'{"text":"a","model":"zero-shot","labels":["x","\\ud800"]}',
    "labels is a string": {"text": "a", "model": "zero-shot", "labels": "x"},
    "labels is a number": {"text": "a", "model": "zero-shot", "labels": 1},
    "all texts too long": {"texts": ["x" * 1001] * 2},
    "half a pair": b'{"text":"\\ud800"}',
    "the other half": b'{"texts":["a\\udfff"]}',
}
NOT_JSON = {
    "empty": b"",
    "cut off": b'{"text": "a',
    "NaN": b'{"text": NaN}',
    "Infinity": b'{"text": "a", "what": -Infinity}',
    "nested": b"[" * 100_000,
    "nested objects": b'{"a":' * 30_000,
    "a long number": b'{"text": ' + b"9" * 100_000 + b"}",
    "not UTF-8": b'{"text": "\xff"}',
    "UTF-16": '{"text": "a"}'.encode("utf-16"),
    "a lone surrogate in UTF-8": b'{"text": "\xed\xa0\x80"}',
    "a control character": b'{"text": "\n"}',
    "XML": b"<text>a</text>",
    "two": b'{"text":"a"}{"text":"b"}',
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_and_not_repeated(client, name):
    answer = client.annotate(WRONG[name])
    assert answer.status == 422
    content = answer.json
    error = content["docs"][0]["error"] if "docs" in content else content["error"]
    assert error["code"] and error["message"]
    assert b"script" not in answer.body and b"passwd" not in answer.body
    assert b"xxxx" not in answer.body and b"ud800" not in answer.body


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_no_json(client, name):
    answer = client.annotate(NOT_JSON[name])
    assert answer.status == 400 and answer.json["error"]["code"] == "not_json"


def test_a_thousand_bad_bodies_and_the_server_goes_on(client):
    rng = random.Random(0)
    good = json.dumps({"texts": [TEXT, "b"], "model": "zero-shot", "labels": ["x", "y"]}).encode()
    named = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in WRONG.values()]
    named += NOT_JSON.values()
    statuses = Counter()
    for i in range(1000):
        match i % 4:
            case 0:
                body = rng.randbytes(rng.randrange(200))
            case 1:  # one byte is another
                body = bytearray(good)
                body[rng.randrange(len(body))] = rng.randrange(256)
                body = bytes(body)
            case 2:
                body = good[: rng.randrange(len(good))]
            case 3:
                body = named[i // 4 % len(named)]
        statuses[client.annotate(body).status] += 1
    assert set(statuses) <= {200, 400, 422} and statuses[400] > 400 and statuses[422] > 100
    assert client.annotate().status == 200
    assert client.get("/health/live").status == 200


def test_other_bodies(client):
    headers = {"Content-Type": "text/plain"}
    assert client.annotate(b'{"text":"a"}', headers).status == 415
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert client.annotate(b'{"text":"a"}', headers).status == 200
    assert client.get("/v1/annotate").status == 405


def test_some_texts_that_cannot_be_annotated_do_not_harm_the_others(client):
    body = b'{"texts": ["Ada.", "\\ud800", "' + b"x" * 1001 + b'", "Zurich."]}'
    answer = client.annotate(body)
    assert answer.status == 200
    docs = answer.json["docs"]
    assert [doc.get("text") for doc in docs] == ["Ada.", None, None, "Zurich."]
    assert [docs[i]["error"]["code"] for i in (1, 2)] == ["not_unicode", "too_long"]
    assert client.annotate({"text": "x" * 1000}).status == 200


# What goes wrong


def test_status_of_an_answer():
    pytest.importorskip("fastapi", reason=MISSING)
    from spacy_pretrained.serving.fastapi_app import find_status

    ours, theirs, late = (Failed(code, "") for code in ("annotation", "too_long", "waited"))
    assert find_status([]) == 200
    assert find_status([ours, ours]) == 500
    assert find_status([ours, theirs]) == find_status([theirs]) == 422
    assert find_status([ours, late]) == 503


def test_a_pipeline_that_fails(slow):
    with serve_in_thread([slow], Settings(pipelines=())) as client:
        some = client.annotate({"texts": ["a", BAD, "b"]})
        assert some.status == 200
        assert [doc.get("text") for doc in some.json["docs"]] == ["a", None, "b"]
        assert some.json["docs"][1]["error"]["code"] == "annotation"
        every = client.annotate({"texts": [BAD, BAD]})
        assert every.status == 500 and BAD.encode() not in every.body
        assert client.annotate({"text": "c"}).status == 200


def test_fastapi_reports_to_nobody(slow, monkeypatch):
    """Whoever collects telemetry would get messages of errors, with texts in them."""
    trace = pytest.importorskip("opentelemetry.trace", reason="this FastAPI has no telemetry")
    spans: list[str] = []

    class Tracer(trace.NoOpTracer):
        def start_span(self, name, *arguments, **more):
            spans.append(name)
            return super().start_span(name, *arguments, **more)

    class Provider(trace.TracerProvider):
        def get_tracer(self, *arguments, **more):
            return Tracer()

    monkeypatch.setattr(trace, "_TRACER_PROVIDER", Provider())
    trace.get_tracer("test").start_span("seen")
    with serve_in_thread([slow], Settings(pipelines=())) as client:
        assert client.annotate({"text": BAD}).status == 500
        assert client.get("/nowhere").status == 404
    assert spans == ["seen"]


def test_too_many_texts_wait(slow):
    limits = Limits(waiting=5)
    with serve_in_thread([slow], Settings(pipelines=(), limits=limits)) as client:
        busy = keep_busy(client)
        waiting = send(client.port, {"texts": ["a"] * 5})
        wait_for(lambda: b'waiting_texts{model="slow",version="0.0.0"} 5' in figures(client))
        answer = client.annotate({"text": "b"})
        assert answer.status == 503 and answer.headers["retry-after"] == "1"
        MAY_GO_ON.set()
        assert status_of(busy) == status_of(waiting) == 200
        assert client.annotate({"text": "b"}).status == 200


def test_a_text_that_waits_too_long_is_not_annotated(slow):
    limits = Limits(seconds=1)
    with serve_in_thread([slow], Settings(pipelines=(), limits=limits)) as client:
        busy = keep_busy(client)
        begin = time.monotonic()
        answer = client.annotate({"texts": ["a", "b"]})
        assert time.monotonic() - begin > 0.8
        assert answer.status == 503 and answer.headers["retry-after"] == "1"
        assert [doc["error"]["code"] for doc in answer.json["docs"]] == ["waited"] * 2
        MAY_GO_ON.set()
        assert status_of(busy) == 200  # it had begun
        assert n_words(client) == 3


def test_a_client_that_has_gone_takes_its_waiting_texts_along(slow):
    with serve_in_thread([slow], Settings(pipelines=())) as client:
        busy = keep_busy(client)
        gone = send(client.port, {"texts": ["one two three"] * 50})
        wait_for(lambda: b'waiting_texts{model="slow",version="0.0.0"} 50' in figures(client))
        gone.close()
        wait_for(lambda: b'waiting_texts{model="slow",version="0.0.0"} 0' in figures(client))
        MAY_GO_ON.set()
        assert status_of(busy) == 200
        assert client.annotate({"text": "x"}).status == 200
        assert n_words(client) == 4
        assert b'model="slow",version="0.0.0",status="499"} 1' in figures(client)


def test_a_client_that_goes_before_its_body_has_come_is_no_fault_of_ours(slow):
    with serve_in_thread([slow], Settings(pipelines=())) as client:
        sock = send_part(client.port, HEAD + b"Content-Length: 10\r\n\r\n{")
        sock.close()
        wait_for(lambda: b'requests_total{model="",version="",status="499"} 1' in figures(client))
        assert b'status="500"' not in figures(client)


def test_a_body_that_is_too_large_is_refused_while_it_is_read(client, small_limits):
    declared = send_part(client.port, HEAD + b"Content-Length: 999999999999\r\n\r\n{")
    assert status_of(declared) == 413
    chunked = send_part(client.port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    for _ in range(small_limits.body // 65536 + 1):
        chunked.sendall(chunk)
    assert status_of(chunked) == 413  # and it has no end yet
    answer = client.annotate(b" " * (small_limits.body + 1))
    assert answer.status == 413 and client.annotate().status == 200


def test_a_body_that_does_not_come(slow):
    limits = Limits(seconds=1)
    with serve_in_thread([slow], Settings(pipelines=(), limits=limits)) as client:
        sock = send_part(client.port, HEAD + b"Content-Length: 10\r\n\r\n{")
        assert status_of(sock) == 408
        assert is_closed(sock, 5)


# Several at once


def test_many_clients_get_each_their_own(client):
    results: list[tuple] = []

    def ask(number: int) -> None:
        mine = Client(client.port)
        for i in range(10):
            texts = [f"Ada sees {number} rivers {i} {j}." for j in range(1 + number % 3)]
            docs = mine.annotate({"texts": texts, "what": ["tokens"]}).json["docs"]
            results.append((texts, [doc["text"] for doc in docs]))
        mine.close()

    threads = [threading.Thread(target=ask, args=[number]) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert len(results) == 80 and all(texts == found for texts, found in results)


@pytest.mark.slow
def test_shares_of_pipelines(syntax, slow):
    settings = Settings(pipelines=(), weights={"syntax": 3, "slow": 1})
    with serve_in_thread([syntax, slow], settings) as client:
        by_session: dict[str, set] = {}
        for _ in range(2):
            for i in range(100):
                headers = {"X-Session": f"session {i}"}
                answer = client.annotate({"text": "a", "what": []}, headers).json
                by_session.setdefault(headers["X-Session"], set()).add(answer["model"])
        assert all(len(models) == 1 for models in by_session.values())
        shares = Counter(model for models in by_session.values() for model in models)
        assert 60 < shares["syntax"] < 90
        chance = Counter(
            client.annotate({"text": "a", "what": []}).json["model"] for _ in range(60)
        )
        assert set(chance) == {"syntax", "slow"}
        wins = {"text": "a", "what": [], "model": "slow"}
        assert {client.annotate(wins).json["model"] for _ in range(10)} == {"slow"}


def test_pictures_are_for_the_page(client):
    answer = client.ask("POST", "/v1/pictures", {"text": TEXT}).json
    assert answer["docs"] == client.annotate({"text": TEXT}).json["docs"]
    (pictures,) = answer["pictures"]
    assert "PERSON" in pictures["ents"] and pictures["trees"][0].strip().startswith("<svg")


def send(port: int, body: dict) -> socket.socket:
    """A request whose answer is not waited for."""
    data = json.dumps(body).encode()
    return send_part(port, HEAD + f"Content-Length: {len(data)}\r\n\r\n".encode() + data)


def keep_busy(client: Client) -> socket.socket:
    """Let the only thread work on a text until MAY_GO_ON is set, so that others wait."""
    HAS_BEGUN.clear()
    MAY_GO_ON.clear()
    busy = send(client.port, {"text": WAIT})
    assert HAS_BEGUN.wait(SECONDS)
    return busy


def status_of(sock: socket.socket) -> int:
    return int(sock.recv(65536).split()[1])


def figures(client: Client) -> bytes:
    return client.get("/metrics").body


def n_words(client: Client) -> int:
    (line,) = [one for one in figures(client).splitlines() if b"words_total{" in one]
    return int(line.split()[-1])
