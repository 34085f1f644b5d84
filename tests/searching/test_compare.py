"""Two configs with several seeds: what is better, and what is luck."""

import json
from threading import Event

import pytest
from thinc.api import Config

from spacy_pretrained.searching import compare as module
from spacy_pretrained.searching.compare import BEST, DEFAULT, Comparison, compare
from spacy_pretrained.searching.options import SearchOptions
from spacy_pretrained.searching.trial import Outcome, TrialFailed


def test_a_difference_within_noise_is_luck():
    found = Comparison([0.50, 0.54, 0.52], [0.52, 0.55, 0.54])
    assert found.difference == pytest.approx(0.05 / 3)
    assert not found.is_better and "may be luck" in found.explain()


def test_a_difference_beyond_it_is_none():
    found = Comparison([0.50, 0.51, 0.52], [0.60, 0.61, 0.62])
    # By hand: variances 0.0001 both, so 2.776 × sqrt(0.0002 / 3).
    assert found.noise == pytest.approx(2.776 * 0.0081650, abs=1e-5)
    assert found.is_better and "+10.00 points" in found.explain()
    assert not Comparison(found.best, found.default).is_better


@pytest.fixture
def configs():
    return {
        name: Config({"training": {"dropout": d, "seed": 0}, "system": {}})
        for name, d in ((DEFAULT, 0.1), (BEST, 0.2))
    }


def run(configs, folder, monkeypatch, fails=False, **options):
    """The seeds that were trained, of both configs."""
    trained = []

    def train(config, *_):
        trained.append((config["training"]["dropout"], config["training"]["seed"]))
        if fails:
            raise TrialFailed("NaN")
        return Outcome(config["training"]["dropout"] + 0.01 * config["training"]["seed"], 1)

    monkeypatch.setattr(module, "run_trial", train)
    found = compare(configs, folder, "score", SearchOptions(**options), Event(), print)
    return trained, found


def test_seeds_are_not_run_again(configs, tmp_path, monkeypatch):
    trained, found = run(configs, tmp_path, monkeypatch)
    assert sorted(trained) == [(d, seed) for d in (0.1, 0.2) for seed in (1, 2, 3)]
    assert found.best == pytest.approx([0.21, 0.22, 0.23])
    assert run(configs, tmp_path, monkeypatch) == ([], found)
    configs[BEST]["training"]["dropout"] = 0.3  # later trials found another one
    trained, found = run(configs, tmp_path, monkeypatch)
    assert sorted(trained) == [(0.3, 1), (0.3, 2), (0.3, 3)]
    assert found.best == pytest.approx([0.31, 0.32, 0.33])


@pytest.mark.parametrize("seed", [0, 7, "${system.seed}"])
def test_the_seeds_are_not_that_of_the_trials(configs, tmp_path, monkeypatch, seed):
    """Which may be a setting of the space, too."""
    configs[BEST]["training"]["seed"] = seed
    configs[BEST]["system"]["seed"] = 3
    own = {0, 3 if isinstance(seed, str) else seed}
    trained, _ = run(configs, tmp_path, monkeypatch)
    seeds = {d: {s for dropout, s in trained if dropout == d} for d in (0.1, 0.2)}
    assert seeds[0.1] == seeds[0.2] and len(seeds[0.1]) == 3 and not seeds[0.1] & own


def test_one_training_at_a_time_has_all_cores(configs, tmp_path, monkeypatch):
    jobs = []

    def train(config, folder, metric, options, stop):
        jobs.append(options.jobs)
        return Outcome(0.5, 1)

    monkeypatch.setattr(module, "run_trial", train)
    compare(configs, tmp_path, "score", SearchOptions(jobs=4, seeds=2), Event(), print)
    assert jobs == [1] * 4


def test_seeds_of_other_code_are_run_again(configs, tmp_path, monkeypatch):
    code = tmp_path / "code.py"
    code.write_text("# one\n")
    assert len(run(configs, tmp_path, monkeypatch, code=code)[0]) == 6
    assert not run(configs, tmp_path, monkeypatch, code=code)[0]
    code.write_text("# two\n")
    assert len(run(configs, tmp_path, monkeypatch, code=code)[0]) == 6


def test_seeds_that_an_earlier_version_trained_count(configs, tmp_path, monkeypatch):
    """It noted the config alone."""
    run(configs, tmp_path, monkeypatch)
    path = tmp_path / "seeds.json"
    found = json.loads(path.read_text("utf8"))
    earlier = {which: {n: one[n] for n in ("config", "seeds")} for which, one in found.items()}
    assert earlier != found
    path.write_text(json.dumps(earlier), "utf8")
    assert not run(configs, tmp_path, monkeypatch)[0]


def test_a_training_that_fails_is_named(configs, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="default config with seed 1 failed: NaN"):
        run(configs, tmp_path, monkeypatch, fails=True)


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"n_trials": 0}, "--n-trials"),
        ({"jobs": 0}, "--jobs"),
        ({"timeout": 0.0}, "--timeout"),
        ({"seeds": 1}, "--seeds"),
    ],
)
def test_options_are_checked(settings, said):
    with pytest.raises(ValueError, match=said):
        SearchOptions(**settings)
