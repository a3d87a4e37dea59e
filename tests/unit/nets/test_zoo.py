"""Each net against its paper: shapes, parameters, equations, symmetries; and one's own nets."""

import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import BASE, WINDOW, complaint, gradient_net, sweep
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from pyheta.errors import StepError
from pyheta.nets import registry
from pyheta.nets.configs import own as config_own
from pyheta.nets.configs.own import OwnNetConfig
from pyheta.nets.configs.union import NETS, config_of
from pyheta.nets.registry import build
from pyheta.nets.zoo.dlinear import moving_average
from pyheta.nets.zoo.instance_norm import InstanceNorm
from pyheta.nets.zoo.nhits import Interpolation, max_pool
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.windows import Shape

TRAINED = [name for name, config in NETS.items() if config.trained_by_gradient]
ALONE = [name for name in TRAINED if not NETS[name].uses_exog]
NORMED = [name for name in TRAINED if "instance_norm" in NETS[name].model_fields]
RECURRENT = ("lstm", "gru")  # torch has no rule to train several of them at once
SMALL = {
    "nhits": {"hidden": 16},
    "tide": {"hidden": 16, "temporal_hidden": 8},
    "itransformer": {"width": 16, "heads": 2, "feed_forward": 16},
    "patchtst": {"width": 8, "heads": 2, "feed_forward": 16},
    "tcn": {"channels": 8, "levels": 3},
}
SHAPE = Shape(channels=4, lookback=48, horizon=10, targets=2)


def made(name: str, shape: Shape = SHAPE, seed: int = 0, **options: Any) -> Any:
    """A small net at rest."""
    torch.manual_seed(seed)
    return registry.module(
        config_of({"name": name, **SMALL.get(name, {}), **options}), shape
    ).eval()


def count(name: str, shape: Shape, **options: Any) -> int:
    net = registry.module(config_of({"name": name, **options}), shape)
    return sum(weights.numel() for weights in net.parameters())


def window(shape: Shape = SHAPE, batch: int = 5, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, shape.channels, shape.lookback, generator=generator)


def seen(name: str, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """What a net is given of windows whose first targets are the rows 100, 101, …"""
    return (x, 100 + torch.arange(len(x))) if NETS[name].reads_rows else (x,)


def forecast(net: nn.Module, name: str, x: torch.Tensor) -> torch.Tensor:
    said: torch.Tensor = net(*seen(name, x))
    return said


def randomised(net: nn.Module) -> Any:
    """The net with all weights drawn anew, those too that begin at 0 or 1."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for weights in net.parameters():
            weights.copy_(0.3 * torch.randn(weights.shape, generator=generator) + 0.1)
    return net


# ---- what holds for all nets


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize(
    "shape",
    [Shape(1, 24, 1), Shape(3, 48, 24), Shape(4, 50, 7, targets=3), Shape(2, 72, 30, targets=2)],
    ids=str,
)
def test_a_window_becomes_a_forecast_of_each_target(name: str, shape: Shape) -> None:
    net = made(name, shape)

    said = forecast(net, name, window(shape))

    assert said.shape == (5, shape.targets, shape.horizon)
    assert said.dtype == torch.float32


@pytest.mark.parametrize("name", TRAINED)
def test_a_gradient_reaches_every_parameter(name: str) -> None:
    net = randomised(made(name))

    forecast(net, name, window(batch=40)).square().sum().backward()  # type: ignore[no-untyped-call] # torch gives it none

    still = [key for key, weights in net.named_parameters() if not weights.grad.abs().sum() > 0]
    assert still == []


@pytest.mark.parametrize("name", TRAINED)
def test_equal_seeds_give_equal_weights_and_others_do_not(name: str) -> None:
    options = {"name": name, **SMALL.get(name, {})}
    first, same, other = (build(options, SHAPE, seed=seed).state() for seed in (3, 3, 4))

    assert all(np.array_equal(first[key], same[key]) for key in first)
    assert any(not np.array_equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", TRAINED)
def test_a_net_leaves_its_window_as_it_is(name: str) -> None:
    x = window()
    before = x.clone()

    forecast(made(name), name, x)

    assert torch.equal(x, before)


@pytest.mark.parametrize("name", TRAINED)
def test_a_window_is_forecast_the_same_whatever_else_is_in_the_batch(name: str) -> None:
    net, x = randomised(made(name)), window()

    torch.testing.assert_close(
        forecast(net, name, x)[:2], forecast(net, name, x[:2]), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("name", [name for name in TRAINED if name not in RECURRENT])
def test_several_nets_can_be_trained_at_once(name: str) -> None:
    nets = [made(name, seed=seed) for seed in (0, 1)]
    weights, buffers = stack_module_state(nets)
    given = seen(name, window())

    def loss(weights: dict[str, torch.Tensor], buffers: dict[str, torch.Tensor]) -> torch.Tensor:
        forecasts: torch.Tensor = functional_call(nets[0], (weights, buffers), given)
        return forecasts.square().mean()

    together = vmap(torch.func.grad(loss))(weights, buffers)

    for index, net in enumerate(nets):
        forecast(net, name, window()).square().mean().backward()  # type: ignore[no-untyped-call] # torch gives it none
        for key, alone in net.named_parameters():
            torch.testing.assert_close(together[key][index], alone.grad, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ALONE)
def test_nets_of_one_channel_share_their_weights_and_never_look_at_exogenous_ones(
    name: str,
) -> None:
    # Given a net whose weights that are a target's own (scales, cycles) are all alike
    net, x = made(name), window()
    swapped = x[:, [1, 0, 2, 3]]
    noisy = torch.cat([x[:, :2], 9 * x[:, 2:]], dim=1)

    # When the targets change places, or the others change
    said = forecast(net, name, x)

    # Then so do the forecasts, or nothing happens
    torch.testing.assert_close(forecast(net, name, swapped), said[:, [1, 0]])
    torch.testing.assert_close(forecast(net, name, noisy), said)


@pytest.mark.parametrize("name", [name for name in TRAINED if name not in ALONE])
def test_all_other_nets_look_at_exogenous_channels(name: str) -> None:
    net, x = randomised(made(name)), window()
    noisy = torch.cat([x[:, :2], x[:, 2:].flip(2)], dim=1)

    assert not torch.allclose(forecast(net, name, noisy), forecast(net, name, x))


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("nlinear", Shape(7, 336, 96, targets=7), 32_352),
        ("dlinear", Shape(7, 336, 96, targets=7), 64_704),
        ("rlinear", Shape(7, 336, 96, targets=7), 32_366),
        ("cyclenet", Shape(7, 336, 96, targets=7), 32_520),
        ("sparsetsf", Shape(7, 720, 96, targets=7), 145),
    ],
)
def test_the_count_of_parameters_is_that_of_the_paper(
    name: str, shape: Shape, expected: int
) -> None:
    assert count(name, shape) == expected


# ---- recurrent nets and convolutions


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def test_the_gru_is_its_recursion() -> None:
    # Given its weights as numpy arrays, gates in the order r, z, n
    net = made("gru", Shape(2, 6, 3), hidden=5)
    weights = {key: tensor.double().numpy() for key, tensor in net.state_dict().items()}
    w, u, b, c = (
        weights[f"recurrent.{key}_l0"] for key in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    x = window(Shape(2, 6, 3), batch=1)

    # When a window is read row by row
    h = np.zeros(5)
    for row in x[0].T.double().numpy():
        new, old = np.split(w @ row + b, 3), np.split(u @ h + c, 3)
        r, z = (sigmoid(new[gate] + old[gate]) for gate in (0, 1))
        h = (1 - z) * np.tanh(new[2] + r * old[2]) + z * h

    # Then the last state is what the head sees
    expected = weights["head.weight"] @ h + weights["head.bias"]
    np.testing.assert_allclose(net(x)[0, 0].detach().numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("row", [0, 20, 47])
def test_the_tcn_never_lets_a_row_change_earlier_features(row: int) -> None:
    net, x = made("tcn"), window()
    other = x.clone()
    other[:, :, row] += 1

    before, after = net.features(x), net.features(other)

    torch.testing.assert_close(after[..., :row], before[..., :row], atol=0, rtol=0)
    assert not torch.equal(after[..., row], before[..., row])


@pytest.mark.parametrize(("back", "matters"), [(28, True), (29, False)])
def test_the_tcn_looks_back_as_far_as_its_dilations_reach(back: int, matters: bool) -> None:
    # Given three levels of two convolutions with three taps: 2 (3 - 1) (1 + 2 + 4) = 28 rows
    net, x = made("tcn", kernel=3), window()
    other = x.clone()
    other[..., -1 - back] += 10

    assert torch.equal(net(x), net(other)) is not matters


# ---- linear nets


def test_nlinear_moves_with_its_window() -> None:
    net, x = made("nlinear"), window()

    torch.testing.assert_close(net(x + 5), net(x) + 5)


def test_dlinear_whose_layers_copy_repeats_the_window() -> None:
    # Given layers that both copy the last rows: trend and rest add up to the window again
    net, x = made("dlinear"), window()
    copy = torch.eye(48)[-10:]
    with torch.no_grad():
        for layer in (net.trend, net.rest):
            layer.weight.copy_(copy)
            layer.bias.zero_()

    torch.testing.assert_close(net(x), x[:, :2, -10:])


def test_the_moving_average_repeats_the_ends() -> None:
    x = torch.tensor([[[1.0, 2.0, 3.0, 10.0]]])

    assert moving_average(x, 3).flatten().tolist() == pytest.approx([4 / 3, 2, 5, 23 / 3])
    assert moving_average(x, 1).flatten().tolist() == [1, 2, 3, 10]
    assert moving_average(torch.full((1, 1, 30), 2.0), 25).flatten().tolist() == [2.0] * 30
    assert moving_average(x, 2).flatten().tolist() == [1.5, 2.5, 6.5, 10]


def test_rlinear_is_its_formula() -> None:
    net, x = made("rlinear"), window()
    linear, affine = net.normed.net[1], net.normed.affine
    with torch.no_grad():
        affine.scale.copy_(torch.tensor([[2.0], [0.5]]))
        affine.shift.copy_(torch.tensor([[1.0], [-3.0]]))

    own = x[:, :2]
    mean, spread = own.mean(2, keepdim=True), (own.var(2, correction=0, keepdim=True) + 1e-5).sqrt()
    inner = linear((own - mean) / spread * affine.scale + affine.shift)
    expected = (inner - affine.shift) / affine.scale * spread + mean

    torch.testing.assert_close(net(x), expected)


def test_sparsetsf_continues_a_periodic_series() -> None:
    # Given a net that copies the last period and does not smooth
    shape = Shape(1, 72, 60)
    net = made("sparsetsf", shape)
    with torch.no_grad():
        net.smooth.weight.zero_()
        net.linear.weight.copy_(torch.tensor([[0.0, 0.0, 1.0]]).expand(3, 3))
    series = torch.randn(24).tile(6)[None, None]

    # Then it is exact over two and a half periods, whatever begins the window
    torch.testing.assert_close(net(series[..., :72]), series[..., 72:132])
    torch.testing.assert_close(net(series[..., 5:77]), series[..., 77:137])


def test_sparsetsf_reads_the_last_whole_periods() -> None:
    shape = Shape(1, 60, 24)
    net, x = made("sparsetsf", shape), window(shape)

    torch.testing.assert_close(net(x), net(torch.cat([9 * x[..., :12], x[..., 12:]], dim=2)))
    assert [config_of({"name": "sparsetsf"}).lookback(rows) for rows in (5, 24, 60, 72)] == [
        24,
        24,
        48,
        72,
    ]


@pytest.mark.parametrize("model", ["linear", "mlp"])
def test_cyclenet_takes_its_cycle_out_and_puts_it_back(model: str) -> None:
    # Given a learned cycle, and a net for the rest that says nothing
    net = made("cyclenet", model=model, instance_norm=False)
    with torch.no_grad():
        net.cycle.copy_(torch.randn(2, 24))
        last = net.net if model == "linear" else net.net[-1]
        last.weight.zero_()
        last.bias.zero_()

    # When two windows with their first targets in the rows 24 and 49 are forecast
    said = net(window(batch=2), torch.tensor([24, 49]))

    # Then the cycle goes on from their phases, 0 and 1
    phases = torch.stack([torch.arange(10), torch.arange(10) + 1])
    torch.testing.assert_close(said, net.cycle[:, phases].transpose(0, 1))


def test_what_cyclenet_gives_its_net_is_the_window_without_the_cycle() -> None:
    net = made("cyclenet", instance_norm=False)
    with torch.no_grad():
        net.cycle.copy_(torch.randn(2, 24))
    row = torch.tensor([50])
    phases = torch.arange(50 - 48, 50) % 24

    said = net(window(batch=1), row)

    rest = net.net(window(batch=1)[:, :2] - net.cycle[:, phases])
    torch.testing.assert_close(said, rest + net.cycle[:, torch.arange(50, 60) % 24])


# ---- deep nets


def test_the_blocks_of_nhits_explain_what_those_before_them_left() -> None:
    net, x = randomised(made("nhits", blocks=2)), window()
    left, said = x[:, :2], torch.zeros(5, 2, 10)
    assert len(net.blocks) == 6

    for block in net.blocks:
        backcast, share = block(left, x)
        left, said = left - backcast, said + share

    torch.testing.assert_close(net(x), said)


def test_the_points_of_nhits_are_joined_by_straight_lines() -> None:
    line, flat = Interpolation(rows=5, spacing=2), Interpolation(rows=4, spacing=24)

    assert line(torch.tensor([0.0, 4.0, 0.0])).tolist() == [0, 2, 4, 2, 0]
    assert flat(torch.tensor([3.0])).tolist() == [3, 3, 3, 3]


def test_nhits_pools_from_the_newest_row_on() -> None:
    x = torch.tensor([9.0, 1.0, 4.0, 2.0, 3.0])

    assert max_pool(x, 2).tolist() == [9, 4, 3]
    assert max_pool(x, 1).tolist() == x.tolist()


def test_tsmixer_without_mixing_of_channels_treats_all_alike() -> None:
    # Given layers whose second half gives nothing
    net, x = made("tsmixer"), window()
    with torch.no_grad():
        for layer in net.layers:
            layer.channels[3].weight.zero_()
            layer.channels[3].bias.zero_()

    torch.testing.assert_close(net(x[:, [1, 0, 3, 2]]), net(x)[:, [1, 0]])


def test_tsmixer_whose_layers_are_renamed_with_its_channels_says_the_same() -> None:
    net, other, x = made("tsmixer"), made("tsmixer"), window()
    order = [1, 0, 3, 2]
    with torch.no_grad():
        for layer in other.layers:
            layer.channels[0].weight.copy_(layer.channels[0].weight[:, order])
            layer.channels[3].weight.copy_(layer.channels[3].weight[order])
            layer.channels[3].bias.copy_(layer.channels[3].bias[order])

    torch.testing.assert_close(other(x[:, order]), net(x)[:, [1, 0]])


def test_tide_with_a_silent_decoder_is_its_skip() -> None:
    net, x = made("tide"), window()
    with torch.no_grad():
        for weights in net.temporal.parameters():
            weights.zero_()

    torch.testing.assert_close(net(x), net.skip(x[:, :2]))


@pytest.mark.parametrize("name", ["tide", "nhits"])
def test_targets_that_are_forecast_one_by_one_share_their_weights(name: str) -> None:
    net, x = made(name), window()

    torch.testing.assert_close(net(x[:, [1, 0, 2, 3]]), net(x)[:, [1, 0]])


def test_itransformer_tells_channels_apart_by_what_is_in_them_alone() -> None:
    net, x = made("itransformer"), window()

    torch.testing.assert_close(net(x[:, [1, 0, 3, 2]]), net(x)[:, [1, 0]])
    torch.testing.assert_close(net(x[:, [0, 1, 3, 2]]), net(x))


def test_the_attention_is_torchs_own() -> None:
    net = made("itransformer", instance_norm=False).layers[0].attention
    oracle = nn.MultiheadAttention(16, 2, batch_first=True)
    oracle.in_proj_weight, oracle.in_proj_bias = net.project.weight, net.project.bias
    oracle.out_proj = net.output
    x = torch.randn(3, 7, 16)

    torch.testing.assert_close(net(x), oracle(x, x, x)[0])


def test_patchtst_cuts_the_window_and_repeats_its_end() -> None:
    net = made("patchtst", Shape(1, 10, 3), patch=4, stride=2, instance_norm=False)

    patches = net.patches(torch.arange(10.0)[None])

    assert patches[0].tolist() == [
        [0, 1, 2, 3],
        [2, 3, 4, 5],
        [4, 5, 6, 7],
        [6, 7, 8, 9],
        [8, 9, 9, 9],
    ]
    assert net.position.shape == (5, 8)


def test_patchtst_refuses_a_patch_that_is_longer_than_the_window() -> None:
    with pytest.raises(StepError, match=r"net\.patch is 16 rows, more than the 12 of a window"):
        made("patchtst", Shape(1, 12, 3))


# ---- instance normalisation


@pytest.mark.parametrize("name", NORMED)
def test_with_instance_norm_a_forecast_moves_and_stretches_with_its_window(name: str) -> None:
    net, x = randomised(made(name, instance_norm=True)), window()
    scale, shift = (
        torch.tensor([2.0, 30.0, 0.5, 7.0])[:, None],
        torch.tensor([5.0, -80.0, 3.0, 1.0])[:, None],
    )

    moved = forecast(net, name, scale * x + shift)

    expected = scale[:2] * forecast(net, name, x) + shift[:2]
    torch.testing.assert_close(moved, expected, atol=2e-2, rtol=1e-3)


LEVELS = [
    (name, normed) for name in TRAINED for normed in {None, *[True, False] * (name in NORMED)}
]


@pytest.mark.parametrize(("name", "normed"), LEVELS)
def test_a_net_follows_the_level_of_its_window_exactly_if_it_says_so(
    name: str, normed: bool | None
) -> None:
    options: dict[str, Any] = {} if normed is None else {"instance_norm": normed}
    net, x = randomised(made(name, **options)), window()
    level = torch.tensor([100.0, -50.0, 0.0, 0.0])[:, None]

    apart = forecast(net, name, x + level) - forecast(net, name, x) - level[:2]

    assert bool(apart.abs().max() < 0.1) is config_of({"name": name, **options}).follows_level


@pytest.mark.parametrize("name", NORMED)
def test_instance_norm_is_around_a_net_and_changes_nothing_of_it(name: str) -> None:
    plain, normed = made(name, instance_norm=False), made(name, instance_norm=True)

    assert isinstance(normed, InstanceNorm)
    assert {f"net.{key}" for key in plain.state_dict()} == set(normed.state_dict())


def test_instance_norm_gives_a_net_windows_of_mean_zero_and_deviation_one() -> None:
    given = []

    class Spy(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            given.append(x)
            return x[:, :2, :10]

    x = 40 * window() + 3
    said = InstanceNorm(Spy(), SHAPE)(x)

    torch.testing.assert_close(given[0].mean(2), torch.zeros(5, 4), atol=1e-5, rtol=0)
    torch.testing.assert_close(given[0].std(2, correction=0), torch.ones(5, 4))
    torch.testing.assert_close(said, x[:, :2, :10])


def test_a_constant_window_is_no_trouble_to_instance_norm() -> None:
    assert made("patchtst")(torch.full((2, 4, 48), 3.0)).isfinite().all()


# ---- nets of one's own

OWN = """
    from torch import nn

    class Good(nn.Module):
        def __init__(self, shape, width=8, depth=(1,)):
            super().__init__()
            self.targets = shape.targets
            self.layer = nn.Linear(shape.lookback, shape.horizon)
            self.told = (width, depth)

        def forward(self, x):
            return self.layer(x[:, : self.targets])

    class Flat(Good):
        def forward(self, x):
            return super().forward(x).flatten(1)

    class Broken(Good):
        def forward(self, x):
            return self.layer(x.flatten(1))

    class OfTwo(Good):
        def forward(self, x):
            return super().forward(x.reshape(2, -1, x.shape[2]))

    class Frozen(Good):
        def __init__(self, shape):
            super().__init__(shape)
            self.requires_grad_(False)

    def factory(shape):
        return Good(shape)
"""


@pytest.fixture
def my_nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module `my_nets` that workers can import."""
    (tmp_path / "my_nets.py").write_text(textwrap.dedent(OWN))
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("my_nets", None)


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Installs a package that offers a net under a name."""

    def install(name: str, value: str) -> None:
        entry = EntryPoint(name, value, config_own.GROUP)
        monkeypatch.setattr(
            config_own, "entry_points", lambda group: [entry] if group == entry.group else []
        )
        config_own.offered.cache_clear()

    yield install
    monkeypatch.undo()
    config_own.offered.cache_clear()


def test_a_net_of_ones_own_is_built_from_its_options(my_nets: None) -> None:
    options = {"width": 32, "depth": [2, 3]}

    forecaster = gradient_net({"name": "my_nets:Good", "options": options}, SHAPE, seed=1)

    assert forecaster.module.told == (32, (2, 3))
    assert forecaster.module.training
    again = gradient_net({"name": "my_nets:Good", "options": options}, SHAPE, seed=1)
    assert np.array_equal(again.state()["layer.weight"], forecaster.state()["layer.weight"])


def test_a_net_of_ones_own_may_be_normalised_too(my_nets: None) -> None:
    forecaster = gradient_net({"name": "my_nets:Good", "instance_norm": True}, SHAPE)

    assert isinstance(forecaster.module, InstanceNorm)


@pytest.mark.parametrize(
    ("net", "said"),
    [
        (
            {"name": "no_such:Net"},
            r"module 'no_such' of net no_such:Net cannot be imported.*install it where",
        ),
        ({"name": "my_nets:Goof"}, r"module 'my_nets' has no class 'Goof'; did you mean 'Good'\?"),
        ({"name": "my_nets:factory"}, r"net my_nets:factory is no torch module; derive its class"),
        (
            {"name": "my_nets:Good", "options": {"widht": 3}},
            r"cannot be built: TypeError.*'widht'.*net\.options",
        ),
        (
            {"name": "my_nets:Broken"},
            r"net my_nets:Broken cannot forecast: RuntimeError.*; its forward",
        ),
        (
            {"name": "my_nets:OfTwo"},
            r"net my_nets:OfTwo returned shape \(2, 2, 10\), expected .* = \(3, 2, 10\)",
        ),
        ({"name": "my_nets:Frozen"}, r"net my_nets:Frozen has nothing to train; keep its layers"),
        (
            {"name": "my_nets:Flat"},
            r"Flat returned shape \(2, 20\), expected \(batch, targets, horizon\) = \(2, 2, 10\)",
        ),
    ],
)
def test_what_is_wrong_with_a_net_of_ones_own_is_said_with_a_cure(
    my_nets: None, net: dict[str, Any], said: str
) -> None:
    with pytest.raises(StepError, match=said) as caught:
        build(net, SHAPE)
    assert caught.value.cure


def test_a_package_can_offer_a_net_by_name(
    my_nets: None, offer: Callable[[str, str], None], tmp_path: Path
) -> None:
    offer("good", "my_nets:Good")

    read = sweep(
        tmp_path, BASE.replace("net: lstm", "net: {name: good, options: {width: 3}}") + WINDOW
    )
    net = read.runs()[0].config.as_json()["net"]

    assert net["options"] == {"width": 3}
    assert gradient_net(net, SHAPE).module.told == (3, (1,))


def test_a_misspelt_name_is_refused_although_packages_offer_nets(
    offer: Callable[[str, str], None], tmp_path: Path
) -> None:
    offer("good", "my_nets:Good")

    said = complaint(tmp_path, BASE.replace("net: lstm", "net: goood") + WINDOW)

    assert said.startswith("sweep.yaml:6:8: unknown net 'goood'; known: lstm, gru, ")


def test_reading_a_sweep_imports_no_net_of_ones_own(my_nets: None, tmp_path: Path) -> None:
    read = sweep(tmp_path, BASE.replace("net: lstm", 'net: "my_nets:Good"') + WINDOW)

    assert isinstance(read.runs()[0].config.net, OwnNetConfig)
    assert "my_nets" not in sys.modules


def test_options_are_one_value_that_can_vary(tmp_path: Path) -> None:
    axis = "parameters: {net.options: [{width: 1}, {width: 2, names: [a, b]}]}\n"

    read = sweep(tmp_path, BASE.replace("net: lstm", 'net: "my_nets:Good"') + WINDOW + axis)

    found = [run.config.as_json()["net"]["options"] for run in read.runs()]
    assert found == [{"width": 1}, {"names": ["a", "b"], "width": 2}]
    assert len({run.config.net for run in read.runs()}) == 2


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("{width: 1}", [{"width": 2}, {"width": 3}]),
        ("[{width: 1}, {width: 3}]", [{"width": 2}]),
        ("[]", [{"width": 1}, {"width": 2}, {"width": 3}]),
    ],
)
def test_options_can_be_excluded_one_by_one_or_several(
    tmp_path: Path, pattern: str, left: list[dict[str, Any]]
) -> None:
    axis = "parameters: {net.options: [{width: 1}, {width: 2}, {width: 3}]}\n"
    text = BASE.replace("net: lstm", 'net: "my_nets:Good"') + WINDOW + axis

    read = sweep(tmp_path, text + f"exclude: [{{net.options: {pattern}}}]\n")

    assert [run.config.as_json()["net"]["options"] for run in read.runs()] == left


def test_a_component_can_have_a_net_of_ones_own(tmp_path: Path) -> None:
    config = """
  decompose: {method: stl, nets: each}
  components: {Trend: {net: {name: "my_nets:Good", options: {depth: [1, 2]}}}}
"""

    run = sweep(tmp_path, BASE + WINDOW.rstrip() + config).runs()[0]

    assert {name: net.net.name for name, net in run.config.nets().items()} == {
        "Seasonal": "lstm",
        "Trend": "my_nets:Good",
        "Remainder": "lstm",
    }
    trend = run.config.nets()["Trend"].net
    assert isinstance(trend, OwnNetConfig)
    assert trend.options == (("depth", (1, 2)),)
    assert hash(run.config.components)


@pytest.mark.parametrize(
    ("net", "said"),
    [
        ('{name: "a:B", options: 3}', "net.options: expected a mapping of names to values"),
        ('{name: "a:B", options: {w: {x: 1}}}', "net.options: 'w' has to be a number, a text,"),
        ('{name: "a:B", width: 3}', "has no key 'width'; put it under net.options"),
        ('{name: "a b:C"}', "unknown net 'a b:C'"),
        ("5", "unknown net '5'"),
        ("{name: nhits, pooling: [4, 2], spacing: [4]}", "one number for each stack, got 2 and 1"),
        ("{name: patchtst, width: 15}", "a width of 15 cannot be shared by 4 heads"),
        ("{name: cyclenet, hidden: 15}", "a linear model has no hidden layer"),
    ],
)
def test_what_is_wrong_with_a_nets_options_is_said_when_the_sweep_is_read(
    tmp_path: Path, net: str, said: str
) -> None:
    assert said in complaint(tmp_path, BASE.replace("net: lstm", f"net: {net}") + WINDOW)


def test_every_net_survives_the_way_to_a_step_and_back(tmp_path: Path) -> None:
    names = ", ".join(NETS)

    read = sweep(tmp_path, BASE + WINDOW + f"parameters: {{net.name: [{names}]}}\n")

    for run in read.runs():
        assert config_of(run.config.as_json()["net"]) == run.config.net
