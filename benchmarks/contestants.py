"""The same network in ours and in each published library, as one training step and one inference to time.

Every network is conv -> batch norm -> integrate-and-fire at threshold 1 with hard reset -> max pooling, classifier
averaged over steps, cross entropy, fused AdamW, float weights. The first convolution and its batch norm are computed
once for all steps in every library, as in ours. Each library keeps its own surrogate, which costs all about the same.

Run by `training.py`, one process per contestant: ``python contestants.py NAME NETWORK`` answers "train N" and "infer N"
lines on standard input with the seconds that N batches took.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

CLASSES = 10


@dataclass(frozen=True)
class Shape:
    """A network: (channels, pool) of every 3x3 convolution, then units of a fully connected layer, or None for GAP."""

    title: str
    image: tuple[int, int, int]
    convolutions: tuple[tuple[int, int], ...]
    hidden: int | None
    timesteps: int
    batch: int


NETWORKS = {
    "mnist": Shape("64C3-MP-64C3-MP-128FC-10FC", (1, 28, 28), ((64, 2), (64, 2)), 128, 8, 128),
    "cifar10": Shape(
        "64C3-64C3-MP-128C3-128C3-MP-256C3-MP-GAP-10",
        (3, 32, 32),
        ((64, 1), (64, 2), (128, 1), (128, 2), (256, 2)),
        None,
        4,
        64,
    ),
    "narrow": Shape("8C3-MP-16C3-MP-64FC-10FC", (1, 28, 28), ((8, 2), (16, 2)), 64, 4, 64),
}

Neuron = Callable[[], nn.Module]
Network = Callable[[Tensor], Tensor]


class Steps(nn.Module):
    """Calls a body T times on the first layer's normalised sums and averages the logits over time."""

    def __init__(self, shape: Shape, first: nn.Module, body: nn.Module, reset: Callable[[], None]) -> None:
        super().__init__()
        self.first, self.body, self.reset, self.timesteps = first, body, reset, shape.timesteps

    def forward(self, images: Tensor) -> Tensor:
        self.reset()
        sums = self.first(images)
        return sum((self.body(sums) for _ in range(self.timesteps)), torch.zeros(())) / self.timesteps


def first_layer(shape: Shape) -> nn.Sequential:
    channels = shape.convolutions[0][0]
    return nn.Sequential(nn.Conv2d(shape.image[0], channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))


def body_layers(shape: Shape, neuron: Neuron, layer: object = nn) -> list[nn.Module]:
    """Everything behind the first batch norm; ``layer`` is the namespace the layers come from."""
    make = lambda name: getattr(layer, name, getattr(nn, name))  # noqa: E731
    conv, norm, pool, linear, flatten = map(make, ("Conv2d", "BatchNorm2d", "MaxPool2d", "Linear", "Flatten"))
    norm1 = make("BatchNorm1d")
    layers: list[nn.Module] = []
    before, rows = shape.convolutions[0][0], shape.image[1]
    for i, (channels, window) in enumerate(shape.convolutions):
        layers += [] if i == 0 else [conv(before, channels, 3, padding=1, bias=False), norm(channels)]
        layers += [neuron()] + ([pool(window)] if window > 1 else [])
        before, rows = channels, rows // window
    if shape.hidden is None:
        return [*layers, make("AdaptiveAvgPool2d")(1), flatten(), linear(before, CLASSES)]
    hidden = [flatten(), linear(before * rows * rows, shape.hidden, bias=False), norm1(shape.hidden), neuron()]
    return [*layers, *hidden, linear(shape.hidden, CLASSES)]


def spikingjelly_single(shape: Shape) -> nn.Module:
    from spikingjelly.activation_based import functional, neuron, surrogate

    make = lambda: neuron.IFNode(surrogate_function=surrogate.ATan(), detach_reset=True)  # noqa: E731
    body = nn.Sequential(*body_layers(shape, make))
    return Steps(shape, first_layer(shape), body, lambda: functional.reset_net(body))


class MultiStep(nn.Module):
    """SpikingJelly's multi-step mode: all layers on [T, B, ...]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        from spikingjelly.activation_based import functional, layer, neuron, surrogate

        make = lambda: neuron.IFNode(surrogate_function=surrogate.ATan(), detach_reset=True)  # noqa: E731
        self.first, self.timesteps = first_layer(shape), shape.timesteps
        self.body = nn.Sequential(*body_layers(shape, make, layer))
        functional.set_step_mode(self.body, "m")
        self.reset = lambda: functional.reset_net(self.body)

    def forward(self, images: Tensor) -> Tensor:
        self.reset()
        sums = self.first(images).unsqueeze(0).repeat(self.timesteps, 1, 1, 1, 1)
        logits: Tensor = self.body(sums).mean(0)
        return logits


def snntorch(shape: Shape) -> nn.Module:
    import snntorch as snn
    from snntorch import surrogate, utils

    make = lambda: snn.Leaky(beta=1.0, spike_grad=surrogate.atan(), init_hidden=True, reset_mechanism="zero")  # noqa: E731
    body = nn.Sequential(*body_layers(shape, make))
    return Steps(shape, first_layer(shape), body, lambda: utils.reset(body))


class Sinabs(nn.Module):
    """Sinabs folds time into the batch: squeezing layers on [B*T, ...]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        import sinabs
        import sinabs.activation as activation
        from sinabs.layers import IAFSqueeze

        make = lambda: IAFSqueeze(  # noqa: E731
            num_timesteps=shape.timesteps,
            spike_fn=activation.SingleSpike,
            reset_fn=activation.MembraneReset(),
            surrogate_grad_fn=activation.SingleExponential(),
        )
        self.first, self.timesteps = first_layer(shape), shape.timesteps
        self.body = nn.Sequential(*body_layers(shape, make))
        self.reset = lambda: sinabs.reset_states(self.body)

    def forward(self, images: Tensor) -> Tensor:
        self.reset()
        logits = self.body(self.first(images).repeat_interleave(self.timesteps, 0))
        return logits.unflatten(0, (-1, self.timesteps)).mean(1)  # type: ignore[no-any-return]


class NorseSteps(nn.Module):
    """Norse's stateful sequence; its state is an argument."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        import norse.torch as norse

        self.first, self.timesteps = first_layer(shape), shape.timesteps
        self.body = norse.SequentialState(*body_layers(shape, norse.IAFCell))

    def forward(self, images: Tensor) -> Tensor:
        sums, state, total = self.first(images), None, torch.zeros(())
        for _ in range(self.timesteps):
            logits, state = self.body(sums, state)
            total = total + logits
        return total / self.timesteps


def ours(shape: Shape, weight_bits: int, precision: str) -> nn.Module:
    from dse.training.model import build_network
    from searchspaces.genome import LayerGenome, NetworkGenome
    from searchspaces.recipe import Recipe

    convolutions = [
        LayerGenome(f"conv{i}", "conv", channels, pool=pool, weight_bits=weight_bits)
        for i, (channels, pool) in enumerate(shape.convolutions, 1)
    ]
    hidden = [LayerGenome("fc1", "fc", shape.hidden, weight_bits=weight_bits)] if shape.hidden else []
    kind, kernel = ("fc", 1) if shape.hidden else ("conv", 1)
    last = LayerGenome("out", kind, CLASSES, kernel, weight_bits=weight_bits, spiking=False)  # type: ignore[arg-type]
    head = "fc" if shape.hidden else "gap"
    layers = (*convolutions, *hidden, last)
    genome = NetworkGenome(shape.image, 8, CLASSES, shape.timesteps, 1, "or", head, "hard", layers)  # type: ignore[arg-type]
    network = build_network(genome, Recipe(epochs=1, precision=precision))  # type: ignore[arg-type]
    network.precision = torch.bfloat16 if precision == "auto" else torch.float32
    return network


def channels_last(build: Callable[[Shape], nn.Module]) -> Callable[[Shape], nn.Module]:
    """A peer after ``.to(memory_format=torch.channels_last)``, which its documentation does not ask for."""
    return lambda shape: build(shape).to(memory_format=torch.channels_last)


CONTESTANTS: dict[str, Callable[[Shape], nn.Module]] = {
    "ours float32": lambda shape: ours(shape, 32, "float32"),
    "ours": lambda shape: ours(shape, 32, "auto"),
    "ours binary": lambda shape: ours(shape, 1, "auto"),
    "spikingjelly multi-step": MultiStep,
    "spikingjelly single-step": spikingjelly_single,
    "spikingjelly single-step channels-last": channels_last(spikingjelly_single),
    "snntorch": snntorch,
    "sinabs": Sinabs,
    "norse": NorseSteps,
}


def serve(name: str, shape: Shape) -> None:
    """Answers the lines of standard input, see above."""
    torch.manual_seed(0)
    network = CONTESTANTS[name](shape)
    pixels = torch.randint(0, 256, (shape.batch, *shape.image))
    images = pixels.to(torch.uint8) if name.startswith("ours") else pixels / 255
    labels = torch.randint(0, CLASSES, (shape.batch,))
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)

    def train() -> None:
        optimiser.zero_grad(set_to_none=True)
        F.cross_entropy(network(images), labels).backward()
        optimiser.step()

    def infer() -> None:
        with torch.no_grad():
            network(images)

    for line in sys.stdin:
        mode, batches = line.split()
        network.train(mode == "train")
        start = time.perf_counter()
        for _ in range(int(batches)):
            (train if mode == "train" else infer)()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], NETWORKS[sys.argv[2]])
