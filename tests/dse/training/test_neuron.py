"""NormIF against a plain loop under autograd that shares no code with it, with the kernel and without."""

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from dse.training import native
from dse.training.neuron import NormIF


@pytest.fixture(params=["kernel", "torch"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to compute a neuron."""
    if request.param == "kernel" and native.library() is None:
        pytest.skip("no compiler here")
    if request.param == "torch":
        monkeypatch.setattr(native, "library", lambda: None)
    return str(request.param)


class Spike(torch.autograd.Function):
    """Step at 0 with a surrogate gradient."""

    @staticmethod
    def forward(ctx, distance, surrogate, width):
        ctx.save_for_backward(distance)
        ctx.surrogate, ctx.width = surrogate, width
        return (distance >= 0).double()

    @staticmethod
    def backward(ctx, grad):
        (d,) = ctx.saved_tensors
        if ctx.surrogate == "rectangular":
            return grad * (d.abs() < ctx.width / 2) / ctx.width, None, None
        alpha = 2 / ctx.width
        return grad * alpha / 2 / (1 + (math.pi / 2 * alpha * d) ** 2), None, None


def windows(x: Tensor, pool: int) -> Tensor:
    """[B, C, rows, columns, pool * pool], windows cut out one by one."""
    rows, columns = x.shape[2] // pool, x.shape[3] // pool
    cut = [
        x[:, :, r * pool : (r + 1) * pool, c * pool : (c + 1) * pool].flatten(2)
        for r, c in itertools.product(range(rows), range(columns))
    ]
    return torch.stack(cut, 2).unflatten(2, (rows, columns))


def pooled(u: Tensor, rank: Tensor, threshold: Tensor | float, setting: dict) -> Tensor:
    cells = windows(u, setting["pool"])
    if setting["pooling"] != "average":
        cells = cells.gather(4, windows(rank, setting["pool"]).argmax(4, keepdim=True))
    steps = [
        Spike.apply(cells - level * threshold, setting["surrogate"], setting["surrogate_width"]).sum(4)
        for level in range(1, setting["levels"] + 1)
    ]
    return sum(steps, torch.zeros(()))


def plain(x: Tensor, ratio: Tensor, norm: nn.BatchNorm2d, static: bool, timesteps: int, setting: dict):
    """The equations, one step after the other, in float64 under autograd."""
    steps = [norm(x)] * timesteps if static else norm(x).chunk(timesteps)
    v, out, inputs, spikes = torch.zeros_like(steps[0]), [], torch.zeros_like(steps[0]), torch.zeros_like(steps[0])
    for y in steps:
        u = v + y
        spike = u.detach().floor().clamp(0, setting["levels"])
        inputs, spikes = inputs + y.detach(), spikes + spike
        rank = {"membrane": inputs, "count": spikes}.get(setting["pooling"], u.detach())
        maps = [pooled(u, rank, 1.0, setting)]
        if setting["dual_threshold"]:
            maps.append(pooled(u, rank, ratio, setting))
        out.append(torch.cat(maps, 1))
        v = u * (spike == 0) if setting["reset"] == "hard" else u - spike
    return torch.cat(out)


def settings() -> list[dict]:
    names = ("pool", "pooling", "levels", "reset", "dual_threshold", "surrogate", "surrogate_width")
    resets = ((1, "hard"), (1, "soft"), (3, "soft"), (7, "soft"))
    grid = itertools.product(
        (1, 2, 3),
        ("or", "average", "membrane", "count"),
        resets,
        (False, True),
        (("rectangular", 1.0), ("arctan", 1.6)),
    )
    return [
        dict(zip(names, (pool, pooling, *reset, dual, *surrogate), strict=True))
        for pool, pooling, reset, dual, surrogate in grid
        if pool > 1 or pooling in ("or", "average")
    ]


def pair(setting: dict, timesteps: int, static: bool, channels: int, seed: int):
    """A module, its plain twin's parameters, an input and a gradient."""
    torch.manual_seed(seed)
    module = NormIF(channels, timesteps, **setting)
    norm = nn.BatchNorm2d(channels).double()
    with torch.no_grad():
        module.weight.uniform_(0.5, 1.5)
        module.weight[0] = -0.7  # a negative gain is allowed
        module.bias.uniform_(-0.2, 0.8)
        norm.weight.copy_(module.weight)
        norm.bias.copy_(module.bias)
    x = torch.randn(3 * (1 if static else timesteps), channels, 7, 5) * 2 + 1
    return module, norm, x


def close(ours: Tensor, theirs: Tensor, tolerance: float) -> None:
    error = (ours.double() - theirs).abs().max() / theirs.abs().max().clamp(min=1.0)
    assert error <= tolerance


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("timesteps", [1, 2, 3, 4])
def test_outputs_and_gradients_are_those_of_the_plain_loop(engine: str, timesteps: int, static: bool) -> None:
    for seed, setting in enumerate(settings()):
        channels = (3, 16, 21)[seed % 3]
        module, norm, x = pair(setting, timesteps, static, channels, seed)
        mine, theirs = x.clone().requires_grad_(), x.double().requires_grad_()
        ratio = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
        spikes = module(mine, static=static)
        expected = plain(theirs, ratio, norm, static, timesteps, setting)
        assert torch.equal(spikes.double(), expected), setting
        grad = torch.randn_like(spikes)
        spikes.backward(grad)
        expected.backward(grad.double())
        close(mine.grad, theirs.grad, 1e-5)
        close(module.weight.grad, norm.weight.grad, 1e-5)
        close(module.bias.grad, norm.bias.grad, 1e-5)
        close(module.running_mean, norm.running_mean, 1e-6)
        close(module.running_var, norm.running_var, 1e-6)
        if setting["dual_threshold"]:  # ratio = 1 + exp(log_gap), whose slope at 2 is 1
            close(module.log_gap.grad, ratio.grad, 1e-5)


def test_evaluation_uses_the_running_statistics_and_its_gradient_has_none_of_the_batch(engine: str) -> None:
    setting = {"pool": 2, "pooling": "or", "reset": "soft", "levels": 1}
    setting |= {"dual_threshold": True, "surrogate": "arctan", "surrogate_width": 1.0}
    module, norm, x = pair(setting, 3, False, 18, 0)
    module(x), norm(x.double())
    module.eval(), norm.eval()
    mine, theirs = x.clone().requires_grad_(), x.double().requires_grad_()
    spikes, expected = module(mine), plain(theirs, torch.tensor(2.0), norm, False, 3, setting)
    assert torch.equal(spikes.double(), expected)
    spikes.sum().backward()
    expected.sum().backward()
    close(mine.grad, theirs.grad, 1e-5)
    close(module.weight.grad, norm.weight.grad, 1e-5)


@pytest.mark.parametrize("static", [False, True])
def test_bfloat16_is_float32_arithmetic_on_rounded_maps(engine: str, static: bool) -> None:
    for seed, setting in enumerate(settings()):
        module, _, x = pair(setting, 3, static, 16, seed)
        twin, _, _ = pair(setting, 3, static, 16, seed)
        narrow, wide = x.bfloat16().requires_grad_(), x.bfloat16().float().requires_grad_()
        spikes, expected = module(narrow, static=static), twin(wide, static=static)
        assert spikes.dtype == torch.bfloat16
        assert torch.equal(spikes.float(), expected), setting
        grad = torch.randn_like(spikes)
        spikes.backward(grad)
        expected.backward(grad.float())
        close(narrow.grad, wide.grad.double(), 2**-7)  # two roundings, of 2^-9 each
        close(module.weight.grad, twin.weight.grad.double(), 1e-6)


def test_the_first_of_equal_potentials_takes_the_gradient(engine: str) -> None:
    module = NormIF(2, 1, pool=2).eval()
    x = torch.tensor([[1.0, 1.2], [1.2, 1.2]]).expand(1, 2, 2, 2).clone().requires_grad_()
    module(x).sum().backward()
    assert (x.grad[0] > 0).int().tolist() == [[[0, 1], [0, 0]]] * 2


def test_fully_connected_maps_have_no_rows_nor_columns(engine: str) -> None:
    torch.manual_seed(0)
    flat, spatial = NormIF(20, 4, reset="soft"), NormIF(20, 4, reset="soft")
    x = torch.randn(4 * 5, 20)
    assert torch.equal(flat(x), spatial(x[:, :, None, None])[:, :, 0, 0])
    assert flat(x).shape == (20, 20)


def test_memory_layout_changes_nothing(engine: str) -> None:
    torch.manual_seed(0)
    x = torch.randn(8, 20, 6, 6)
    results = []
    for layout in (torch.contiguous_format, torch.channels_last):
        module = NormIF(20, 4, pool=2)
        leaf = x.contiguous(memory_format=layout).detach().requires_grad_()
        spikes = module(leaf)
        (spikes * torch.arange(20).view(1, -1, 1, 1)).sum().backward()
        results.append((spikes.detach(), leaf.grad))
    assert torch.equal(results[0][0], results[1][0])
    torch.testing.assert_close(results[0][1], results[1][1], rtol=0, atol=1e-5)


def test_inference_keeps_no_graph_and_equals_the_graph_s_forward(engine: str) -> None:
    torch.manual_seed(0)
    module = NormIF(16, 2, pool=2, pooling="average").eval()
    x = torch.randn(4, 16, 6, 6)
    with torch.no_grad():
        quick = module(x)
    assert quick.grad_fn is None
    assert torch.equal(quick, module(x).detach())
    assert torch.equal(quick, quick.round())


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("pooling", ["or", "average", "membrane", "count"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_nan_in_is_nan_out_at_every_step_from_any_corner(engine: str, training: bool, pooling: str, dtype) -> None:
    for cell in itertools.product((0, 1), (0, 1)):
        module = NormIF(4, 3, pool=2, pooling=pooling, dual_threshold=True).train(training)
        x = torch.zeros(6, 4, 4, 4, dtype=dtype)
        x[0, 1, 2 + cell[0], cell[1]] = math.nan
        spikes = module(x)
        for step in range(3):
            assert spikes[2 * step, [1, 5], 1, 0].isnan().all()
        assert not spikes[:, [0, 2, 3, 4, 6, 7]].isnan().any()


def test_statistics_survive_a_mean_far_from_zero(engine: str) -> None:
    torch.manual_seed(0)
    x = torch.randn(64, 16, 5, 5) + 1000
    module = NormIF(16, 1, momentum=1.0)
    module(x)
    close(module.running_var, x.double().var((0, 2, 3)), 1e-4)


def test_ratio_stays_above_one_and_is_infinite_without_a_second_threshold() -> None:
    module = NormIF(4, 1, dual_threshold=True)
    assert module.ratio.item() == 2.0
    with torch.no_grad():
        module.log_gap.fill_(-5)
    assert 1 < module.ratio.item() < 1.01
    assert NormIF(4, 1).ratio.item() == math.inf


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="must have 4 channels, not 5"):
        NormIF(4, 2)(torch.zeros(2, 5, 1, 1))
    with pytest.raises(ValueError, match="must hold 2 equal steps, not 3 maps"):
        NormIF(4, 2)(torch.zeros(3, 4, 1, 1))
