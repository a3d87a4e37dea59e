"""Metrics of one's own: how they are found, what they get, and what becomes of one that fails."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pyheta.errors import StepError
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.own_metrics import OwnMetric
from pyheta.pipeline.scoring import Evaluation, Scales, Scored, pooled, score_part

TRUTH = np.array([[1.0, 2.0], [4.0, 8.0]])
FORECAST = np.array([[2.0, 2.0], [3.0, 9.0]])
SCALES = Scales(naive_mae=2.0, naive_mse=4.0, zero=0.0, still=0.0, unit=1.0)
GIVEN = Evaluation(TRUTH, FORECAST, np.array([[0.0], [2.0]]), SCALES)

Write = Callable[[str], OwnMetric]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Makes a metric of the body of its function."""
    monkeypatch.syspath_prepend(tmp_path)
    module = f"mine_{tmp_path.name}"

    def write(body: str) -> OwnMetric:
        text = f"import numpy as np\ndef odd(truth, forecast, last, scale):\n    {body}\n"
        (tmp_path / f"{module}.py").write_text(text)
        return OwnMetric(name=f"{module}:odd")

    return write


def scored(*own: OwnMetric, given: Evaluation = GIVEN) -> Scored:
    return score_part("test", {"OT": {WHOLE: given}}, own=own)


def values(scored: Scored) -> dict[str, float]:
    return {metric.name: metric.value for metric in scored.metrics}


def test_it_gets_truth_forecast_last_value_and_training_scale(written: Write) -> None:
    metric = written("return ((forecast - truth).sum() + last.sum() + truth[1, 1]) / scale")

    assert values(scored(metric))["odd"] == (1 + 2 + 8) / 2


def test_pooled_folds_give_each_window_the_scale_of_its_training(written: Write) -> None:
    metric = written("return (np.abs(forecast - truth) / scale).mean()")
    other = Evaluation(TRUTH, FORECAST, GIVEN.last, SCALES._replace(naive_mae=4.0))

    got = values(scored(metric, given=pooled([GIVEN, other])))

    assert got["odd"] == got["mase"] == (3 / 4 / 2 + 3 / 4 / 4) / 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('no way')", "it raised ValueError: no way"),
        ("return truth[9, 9]", "it raised IndexError: "),
        ("return float('nan')", "it gave nan"),
        ("return np.float32(np.nan)", "it gave nan"),
        ("return -np.inf", "it gave -inf"),
        ("return 'good'", "it gave no number, but 'good'"),
        ("return None", "it gave no number, but None"),
        ("return True", "it gave no number, but True"),
        ("return truth", "it gave no number, but array"),
        ("truth[0, 0] = 5; return 1.0", "it raised ValueError: "),
        ("raise ValueError('x' * 10_000)", "it raised ValueError: x"),
    ],
)
def test_one_that_fails_is_left_out_with_its_reason_and_the_others_stay(
    body: str, reason: str, written: Write
) -> None:
    got = scored(written(body))

    assert got.omitted["test/odd"].startswith(reason)
    assert len(got.omitted["test/odd"]) <= 200
    assert values(got) == values(scored())
    assert TRUTH[0, 0] == 1


@pytest.mark.parametrize("body", ["return 3", "return np.float32(3)", "return np.array(3.0)"])
def test_all_kinds_of_numbers_are_numbers(body: str, written: Write) -> None:
    assert values(scored(written(body)))["odd"] == 3


def test_of_several_targets_each_has_it_and_all_together_have_none(written: Write) -> None:
    metric = written("return float(len(truth))")

    got = score_part("test", {"A": {WHOLE: GIVEN}, "B": {WHOLE: GIVEN}}, own=[metric])

    assert (values(got)["A/odd"], values(got)["B/odd"]) == (2, 2)
    assert got.omitted["test/odd"] == "the targets have units of their own"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("no_such_module:odd", "module 'no_such_module' of metric no_such_module:odd cannot be"),
        ("math:cosinus", "module 'math' has no function 'cosinus'"),
        ("math:pi", "metric math:pi is no function"),
    ],
)
def test_one_that_is_not_to_be_had_fails_the_step_so_that_it_is_tried_again(
    name: str, what: str
) -> None:
    with pytest.raises(StepError, match=what):
        scored(OwnMetric(name=name))
