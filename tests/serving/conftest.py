"""Fixtures of the tests of the server: pipelines, loaded once a session."""

import pytest
import spacy
from serving_client import Client, find_pipeline, serve_in_thread

from spacy_pretrained.serving.pipelines import Served
from spacy_pretrained.serving.settings import Limits, Settings


@pytest.fixture(scope="session")
def syntax() -> Served:
    """Tags, trees, entities."""
    return Served("syntax", spacy.load(find_pipeline("syntax_int8")), "0" * 64)


@pytest.fixture(scope="session")
def zero_shot() -> Served:
    return Served("zero-shot", spacy.load(find_pipeline("zero_shot_int8")), "1" * 64)


@pytest.fixture(scope="session")
def small_limits() -> Limits:
    return Limits(body=200_000, texts=16, characters=1000, waiting=32, seconds=20)


@pytest.fixture(scope="module")
def client(syntax, zero_shot, small_limits) -> Client:
    """Of a server with both; the first is that of requests that name none."""
    settings = Settings(pipelines=(), limits=small_limits, allowed_hosts=("my.example",))
    with serve_in_thread([syntax, zero_shot], settings) as client:
        yield client
