"""The synthetic series is what its equations say, and its best forecast can be reached."""

from collections.abc import Callable

import numpy as np
import pytest

from pyheta.nets.registry import build
from pyheta.nets.training.options import Train
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.data.synthetic import (
    BEST_LINEAR_RMSE,
    BEST_RMSE,
    BEST_RMSE_WITHOUT_LEADING,
    LEAD,
    PROMO,
    generate,
    without_promo,
)
from pyheta.pipeline.scaling import Scaler
from pyheta.pipeline.splits import Split
from pyheta.pipeline.windows import Shape, cut


def test_equal_seeds_give_equal_series_and_others_give_others() -> None:
    assert generate(300, 1).equals(generate(300, 1))
    assert not generate(300, 1).equals(generate(300, 2))


def test_rows_are_hourly() -> None:
    frame = generate(500)
    assert frame.height == 500
    assert frame["time"].diff().drop_nulls().unique().dt.total_hours().to_list() == [1]


def test_the_columns_follow_the_equations() -> None:
    frame = generate(20_000, 3)
    load, leading = frame["load"].to_numpy(), frame["leading"].to_numpy()
    hours = 2 * np.pi * np.arange(frame.height)
    seasons = 50 + 10 * np.sin(hours / 24) + 4 * np.sin(hours / 168)
    shocks = (load - seasons)[LEAD:] - 4 * np.maximum(0, leading[:-LEAD])
    apart = frame["coincident"].to_numpy() - 0.5 * (load - 50)

    unknowns = [shocks, leading[LEAD:], apart[LEAD:], frame["noise"].to_numpy()[LEAD:]]
    np.testing.assert_allclose(np.cov(unknowns), np.eye(4), atol=0.05)


def one_step_rmse(exog: list[str]) -> float:
    """Ridge on a week of past values, on the last tenth of the rows."""
    frame = generate(8000, 0)
    columns = {name: frame[name].to_numpy() for name in ["load", *exog]}
    split = Split.by_shares({"train": 0.8, "val": 0.1, "test": 0.1}, frame.height)
    scalers = [Scaler.fit("standard", values[slice(*split.train)]) for values in columns.values()]
    pairs = zip(columns.values(), scalers, strict=True)
    series = [Channel(values).scaled(scaler, np.float64) for values, scaler in pairs]
    shape = Shape(len(columns), lookback=168, horizon=1)
    train, val, test = (cut(series, split.targets(p), shape) for p in ("train", "val", "test"))
    net = build({"name": "ridge", "alpha": 100.0}, shape)
    net.fit(train, val, Train(), lambda _: None)
    errors = (net.predict(test) - test.targets) * scalers[0].unit
    return float(np.sqrt(np.square(errors).mean()))


def test_with_the_leading_column_ridge_comes_near_the_best_possible_linear_error() -> None:
    assert one_step_rmse(["leading"]) == pytest.approx(BEST_LINEAR_RMSE, rel=0.1)


def test_who_knows_the_equation_comes_to_the_best_possible_error_and_no_linear_rule_does() -> None:
    # Given the forecast that the equations allow
    frame = generate(20_000, 5)
    load, leading = frame["load"].to_numpy(), frame["leading"].to_numpy()
    hours = 2 * np.pi * np.arange(frame.height)
    known = (50 + 10 * np.sin(hours / 24) + 4 * np.sin(hours / 168))[LEAD:]
    linear = np.polynomial.Polynomial.fit(leading[:-LEAD], load[LEAD:] - known, 1)

    # Then its error is that of the shocks alone, and a line through `leading` stays above
    rules: list[tuple[Callable[[Floats], Floats], float]] = [
        (lambda x: 4 * np.maximum(0, x), BEST_RMSE),
        (linear, BEST_LINEAR_RMSE),
    ]
    for rule, best in rules:
        error = load[LEAD:] - known - rule(leading[:-LEAD])
        assert np.sqrt(np.square(error).mean()) == pytest.approx(best, rel=0.02)


@pytest.mark.parametrize("exog", [[], ["coincident"], ["noise"]])
def test_no_other_column_takes_ridge_below_the_best_error_without_it(exog: list[str]) -> None:
    assert one_step_rmse(exog) == pytest.approx(BEST_RMSE_WITHOUT_LEADING, rel=0.15)


def test_promo_moves_the_load_of_its_hour_and_leaves_all_else_as_it_is() -> None:
    plain, moved = generate(500, 3), generate(500, 3, promo=True)

    effect = PROMO * moved["promo"]
    np.testing.assert_allclose(moved["load"] - plain["load"], effect, atol=1e-12)
    np.testing.assert_allclose(moved["coincident"] - plain["coincident"], effect / 2, atol=1e-12)
    for column in ("time", "leading", "noise"):
        assert moved[column].equals(plain[column])


def test_promo_is_noise_of_its_own() -> None:
    moved = generate(20_000, 3, promo=True)
    promo = moved["promo"].to_numpy()

    assert np.std(promo) == pytest.approx(1, rel=0.02)
    assert abs(np.corrcoef(promo[1:], promo[:-1])[0, 1]) < 0.03
    assert abs(np.corrcoef(promo, moved["leading"].to_numpy())[0, 1]) < 0.03
    assert without_promo(BEST_RMSE) == pytest.approx(np.sqrt(1 + 36))
