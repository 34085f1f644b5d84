"""Figures of all workers, as Prometheus reads them."""

import re

from spacy_pretrained.serving.metrics import NO_MODEL, Board

LABEL = r'[a-z]+="(\\.|[^"\\])*"'
LINE = re.compile(rf"# (HELP|TYPE) [a-z_]+ .+|[a-z_]+\{{{LABEL}(,{LABEL})*\}} \S+")


def read(text: str) -> dict[str, float]:
    for line in text.splitlines():
        assert LINE.fullmatch(line), line
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name.removeprefix("spacy_pretrained_"): float(value) for name, value in pairs}


def test_workers_add_up_and_one_that_begins_again_counts_on():
    board = Board([("a", "1.0")], 2)
    for number in (0, 1, 1):
        row = board.row(number)
        row.count_request("a", 200, 0.02)
        row.count_batch("a", 5, 70)
        row.set_waiting("a", 3)
    board.row(0).count_request(NO_MODEL, 404, 0.001)
    found = read(board.render())
    of_a = 'model="a",version="1.0"'
    assert found[f'requests_total{{{of_a},status="200"}}'] == 3
    assert found['requests_total{model="",version="",status="404"}'] == 1
    assert found[f"words_total{{{of_a}}}"] == 210
    assert found[f"waiting_texts{{{of_a}}}"] == 3  # of worker 1: nothing waits in a new worker 0
    assert found[f'batch_texts_bucket{{{of_a},le="4"}}'] == 0
    assert found[f'batch_texts_bucket{{{of_a},le="8"}}'] == 3
    assert found[f'batch_texts_bucket{{{of_a},le="+Inf"}}'] == 3
    assert found[f"batch_texts_sum{{{of_a}}}"] == 15


def test_buckets_have_what_is_at_most_their_bound():
    row = (board := Board([("a", "1")], 1)).row(0)
    for seconds in (0.005, 0.0051, 30, 31, 1e6):
        row.count_request("a", 500, seconds)
    found = read(board.render())
    of_a = 'model="a",version="1"'
    counts = [
        found[f'request_seconds_bucket{{{of_a},le="{bound}"}}']
        for bound in ("0.005", "0.01", "10.0", "30.0", "+Inf")
    ]
    assert counts == [1, 2, 2, 3, 5]
    assert found[f"request_seconds_count{{{of_a}}}"] == 5


def test_a_status_and_names_that_nobody_expected():
    board = Board([('say "a"\n\\', "1")], 1)
    board.row(0).count_request('say "a"\n\\', 418, 1)
    assert 'model="say \\"a\\"\\n\\\\",version="1",status="other"} 1' in board.render()
    read(board.render())
