"""A trained spiking network in plain torch: the float network with its gradients, and its integer twin.

Needs torch and safetensors alone; every file is read without pickle.

    python model.py                        counts right answers on the samples beside it, next to what was recorded

    from model import load, load_integer
    load("weights.safetensors")(images)            logits [n, classes] of uint8 images [n, C, H, W]
    load_integer("integer.safetensors")(images)    int64 scores, those of the accelerator bit by bit

At every step t a layer computes, with z[t] the sum of weight codes times inputs and y[t] its batch norm,

    u[t] = v[t-1] + y[t]
    s[t] = min(floor(u[t] / threshold), levels), 0 below the threshold
    v[t] = 0 where s[t] > 0 else u[t]    (hard reset)      or      u[t] - s[t] threshold    (soft reset)

and stores the pooled s[t]; a dual threshold adds a second map, whose threshold is higher and resets nothing. An image
is the same at every step; of a recording of events each step sees a frame: a pixel's bit s tells of an event in the
s-th eighth of the time. The classifier adds its sums over steps and positions; the largest score wins.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor, nn

BATCH = 200  # samples at once
SLICES = 8  # of a recording of events

# Step of codes of 2, 4 and 8 bits in units of the mean magnitude: loses least of a normal variable.
STEP_PER_MEAN = {2: 1.534080, 4: 0.442934, 8: 0.0386898}


class Spike(torch.autograd.Function):
    """1 where the potential reaches the threshold, with a surrogate gradient of the given width (in thresholds)."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, threshold: Tensor, surrogate: str, width: float) -> Tensor:
        ctx.save_for_backward(u - threshold)
        ctx.window, ctx.shape = (surrogate, width), threshold.shape
        return (u >= threshold).to(u.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (distance,), (surrogate, width) = ctx.saved_tensors, ctx.window
        if surrogate == "rectangular":
            slope = (distance.abs() < width / 2) / width
        else:
            slope = 1 / (width * (1 + (math.pi / width * distance) ** 2))
        by_u = grads[0] * slope
        return by_u, -by_u.sum_to_size(ctx.shape), None, None


class Synapses(nn.Module):
    """Weights as whole numbers: `weight` is what trains, `kept` the mask of kernels that were not pruned."""

    kept: Tensor | None

    def __init__(self, how: dict[str, Any]) -> None:
        super().__init__()
        self.how = how
        edges = (how["kernel"], how["kernel"]) if how["kind"] == "conv" else ()
        self.weight = nn.Parameter(torch.zeros(how["filters"], how["in_channels"], *edges))
        kept = torch.ones(how["filters"], how["in_channels"], dtype=torch.bool) if how["pruned"] else None
        self.register_buffer("kept", kept)

    def codes(self) -> Tensor:
        """-1 and +1 for one bit, else multiples of a step, rounded; 0 where pruned. Straight-through gradient."""
        weight, bits = self.weight.detach(), self.how["weight_bits"]
        if bits == 1:
            code, slope = torch.where(weight >= 0, 1.0, -1.0), (weight.abs() <= 1).float()
        else:
            largest, step = 2 ** (bits - 1) - 1, self._step()
            code = (weight / step).round().clamp(-largest, largest)
            slope = (weight.abs() <= (largest + 0.5) * step) / step
        if self.kept is not None:
            mask = self.kept.view(*self.kept.shape, *[1] * (weight.ndim - 2)).float()
            code, slope = code * mask, slope * mask
        return code + (self.weight - weight) * slope

    def _step(self) -> Tensor:
        """Step of the codes: a multiple of the mean magnitude of each filter, or of all (classifier)."""
        magnitude = self.weight.detach().abs()
        over = tuple(range(magnitude.ndim)) if self.how["whole_layer"] else tuple(range(1, magnitude.ndim))
        if self.kept is None:
            mean = magnitude.mean(over, keepdim=True)
        else:
            mask = self.kept.view(*self.kept.shape, *[1] * (magnitude.ndim - 2)).float().expand_as(magnitude)
            mean = (magnitude * mask).sum(over, keepdim=True) / mask.sum(over, keepdim=True).clamp_min(1)
        return (STEP_PER_MEAN[self.how["weight_bits"]] * mean).clamp_min(torch.finfo(torch.float32).tiny)

    def forward(self, x: Tensor) -> Tensor:
        """Sums [n, filters, H, W] of x [n, C, H, W]; a fully connected layer reads C, then rows, then columns."""
        if self.how["kind"] == "fc":
            return F.linear(x.flatten(1), self.codes())[:, :, None, None]
        return F.conv2d(x, self.codes(), stride=self.how["stride"], padding=self.how["kernel"] // 2)


class Neuron(nn.Module):
    """Batch norm, integrate-and-fire in units of the threshold, and pooling."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, how: dict[str, Any], network: dict[str, Any]) -> None:
        super().__init__()
        self.how, self.network = how, network
        self.weight = nn.Parameter(torch.ones(how["filters"]))
        self.bias = nn.Parameter(torch.zeros(how["filters"]))
        self.log_gap = nn.Parameter(torch.zeros(())) if how["dual_threshold"] else None
        self.register_buffer("running_mean", torch.zeros(how["filters"]))
        self.register_buffer("running_var", torch.ones(how["filters"]))

    def normalised(self, sums: Tensor) -> Tensor:
        """Batch norm of sums [steps, n, M, H, W]; in training the batch's own, which moves the running one."""
        mean, var = self.running_mean, self.running_var
        if self.training:
            var, mean = torch.var_mean(sums, (0, 1, 3, 4), correction=0)
            count = sums.numel() // sums.shape[2]
            self.running_mean.lerp_(mean.detach(), 0.1)
            self.running_var.lerp_(var.detach() * (count / max(count - 1, 1)), 0.1)
        scale = self.weight * torch.rsqrt(var + 1e-5)
        shift = self.bias - mean * scale
        # As one fused multiply-add, which rounds once.
        return (sums.double() * scale.double()[:, None, None] + shift.double()[:, None, None]).float()

    def strength(self, u: Tensor, unit: Tensor) -> Tensor:
        """How many of the thresholds unit, 2 unit, ... are reached."""
        window = self.network["surrogate"], self.network["surrogate_width"]
        levels = range(1, self.network["levels"] + 1)
        return torch.stack([Spike.apply(u, level * unit, *window) for level in levels]).sum(0)

    def forward(self, sums: Tensor) -> Tensor:
        """Stored maps [T, n, C, H // pool, W // pool] of sums [T, n, M, H, W], or of [1, n, ...] for all steps."""
        y = self.normalised(sums)
        one = torch.ones((), device=y.device)
        units = [one] if self.log_gap is None else [one, 1 + self.log_gap.exp()]
        left = gathered = torch.zeros_like(y[0])
        stored = []
        for t in range(self.network["timesteps"]):
            step = y[t % len(y)]
            u = left + step
            maps = [self.strength(u, unit) for unit in units]
            s = maps[0].detach()
            gathered = gathered + (step if self.network["pooling"] == "membrane" else s)
            left = torch.where(s > 0, 0.0, u) if self.network["reset"] == "hard" else u - s
            rank = gathered if self.network["pooling"] in ("membrane", "count") else u
            stored.append(torch.cat([pooled(spikes, rank.detach(), self.network, self.how) for spikes in maps], 1))
        return torch.stack(stored)


def pooled(spikes: Tensor, rank: Tensor, network: dict[str, Any], how: dict[str, Any]) -> Tensor:
    """The sum of each window, or the spikes of its neuron of highest rank, the first of equals."""
    edge = how["pool"]
    if edge == 1:
        return spikes
    if network["pooling"] == "average":
        return F.avg_pool2d(spikes, edge, divisor_override=1)
    _, place = F.max_pool2d(rank, edge, return_indices=True)
    return spikes.flatten(2).gather(2, place.flatten(2)).view(place.shape)


def steps_of(images: Tensor, description: dict[str, Any]) -> Tensor:
    """Images [1, n, C, H, W], or frames [T, n, C, H, W]: 1 where one of the step's slices has an event."""
    if description["static_input"]:
        return images[None]
    slices = torch.stack([images >> number & 1 for number in range(SLICES)])
    timesteps = description["timesteps"]
    return slices.unflatten(0, (timesteps, SLICES // timesteps)).amax(1)


class Layer(nn.Module):
    """Synapses and neurons of one layer."""

    def __init__(self, how: dict[str, Any], network: dict[str, Any]) -> None:
        super().__init__()
        self.synapses = Synapses(how)
        self.neuron = Neuron(how, network)

    def forward(self, x: Tensor) -> Tensor:
        """Stored maps [T, n, C, H, W] of inputs [T, n, ...], or of [1, n, ...] for all steps."""
        return self.neuron(self.synapses(x.flatten(0, 1)).unflatten(0, x.shape[:2]))


class Classifier(nn.Module):
    """Sums over steps and positions, with one gain for all classes."""

    def __init__(self, how: dict[str, Any], timesteps: int) -> None:
        super().__init__()
        self.timesteps = timesteps
        self.synapses = Synapses(how)
        self.log_gain = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(how["filters"]))

    def forward(self, x: Tensor) -> Tensor:
        """Logits [n, classes] of stored maps [T, n, ...]."""
        sums = self.synapses(x.sum(0)).sum((2, 3))
        logits: Tensor = sums * (self.log_gain.exp() / self.timesteps) + self.bias
        return logits


class Network(nn.Module):
    """The network of a description: what the metadata of ``weights.safetensors`` holds."""

    def __init__(self, description: dict[str, Any]) -> None:
        super().__init__()
        self.description = description
        *hidden, last = description["layers"]
        self.layers = nn.ModuleDict({how["name"]: Layer(how, description) for how in hidden})
        self.classifier = Classifier(last, description["timesteps"])

    def stored_maps(self, images: Tensor) -> dict[str, Tensor]:
        """What every layer stores, by name, [T, n, C, H, W]; images are uint8 [n, C, H, W]."""
        x, maps = steps_of(images, self.description).float(), {}
        for name, layer in self.layers.items():
            x = maps[name] = layer(x)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """Logits [n, classes] of uint8 images [n, C, H, W]."""
        *_, last = self.stored_maps(images).values()
        logits: Tensor = self.classifier(last)
        return logits


class IntegerNetwork:
    """The folded network: whole numbers alone, constants ``c`` and thresholds in units of 2^-fraction_bits."""

    def __init__(self, description: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.description = description
        self.tensors = {name: tensor.to(torch.int64) for name, tensor in tensors.items()}

    def sums(self, how: dict[str, Any], x: Tensor) -> Tensor:
        """Sums [n, M, H, W] of x [n, ...]; whole numbers of float64 are exact below 2^53."""
        weights = self.tensors[f"{how['name']}.weights"].double()
        x = x.double().reshape(-1, *how["input_shape"])
        return F.conv2d(x, weights, stride=how["stride"], padding=how["padding"]).long()

    def layer(self, how: dict[str, Any], x: Tensor) -> Tensor:
        """Stored maps int64 [T, n, C, H // pool, W // pool] of inputs [T, n, ...], or of [1, n, ...] for all steps."""
        c = self.tensors[f"{how['name']}.c"][:, None, None]
        thetas = self.tensors[f"{how['name']}.thetas"][:, :, None, None]
        v = rank = torch.zeros((), dtype=torch.int64)
        stored = []
        sums = [self.sums(how, step) for step in x]
        for t in range(self.description["timesteps"]):
            z = sums[t % len(sums)]
            u = v + z * 2 ** how["fraction_bits"] - c
            maps = [torch.div(u, theta, rounding_mode="floor").clamp(0, how["levels"]) for theta in thetas]
            v = torch.where(maps[0] > 0, 0, u) if how["reset"] == "hard" else u - maps[0] * thetas[0]
            rank = rank + (z if how["pooling"] == "membrane" else maps[0])
            # Ranks are below 2^53, and the largest potential of a window spikes most strongly.
            winner = (rank if how["pooling"] in ("membrane", "count") else u).double()
            stored.append(torch.cat([pooled(spikes.double(), winner, how, how).long() for spikes in maps], 1))
        return torch.stack(stored)

    def stored_maps(self, images: Tensor) -> dict[str, Tensor]:
        """What every layer stores, by name, int64 [T, n, C, H, W]; images are uint8 [n, C, H, W]."""
        x, maps = steps_of(images, self.description).long(), {}
        for how in self.description["layers"][:-1]:
            x = maps[how["name"]] = self.layer(how, x)
        return maps

    def __call__(self, images: Tensor) -> Tensor:
        """Scores int64 [n, classes] of uint8 images [n, C, H, W]."""
        *_, last = self.stored_maps(images).values()
        how = self.description["layers"][-1]
        total = self.sums(how, last.sum(0)).sum((2, 3))
        return total * 2 ** self.description["fraction_bits"] + self.tensors[f"{how['name']}.bias"]


def read(path: Path | str, text: str) -> tuple[Any, dict[str, Tensor]]:
    """The JSON that the file's metadata hold under ``text``, and its tensors."""
    with safe_open(str(path), framework="pt") as file:
        return json.loads(file.metadata()[text]), {name: file.get_tensor(name) for name in file.keys()}


def load(path: Path | str) -> Network:
    """The float network of ``weights.safetensors``, in eval mode."""
    description, tensors = read(path, "network")
    network = Network(description)
    network.load_state_dict(tensors)
    return network.eval()


def load_integer(path: Path | str) -> IntegerNetwork:
    """The integer network of ``integer.safetensors``."""
    return IntegerNetwork(*read(path, "network"))


@torch.inference_mode()
def right(network: Network | IntegerNetwork, images: Tensor, labels: Tensor) -> int:
    """How many images get the class of their label."""
    batches = zip(images.split(BATCH), labels.split(BATCH), strict=True)
    return sum(int((network(x).argmax(1) == y).sum()) for x, y in batches)


def main(folder: Path) -> int:
    """Count right answers on every file of samples; 1 where they are not what was recorded."""
    float_network, integer_network = load(folder / "weights.safetensors"), load_integer(folder / "integer.safetensors")
    status = 0
    for path in (folder / "validation.safetensors", folder / "test.safetensors"):
        if path.exists():
            recorded, samples = read(path, "recorded")
            found = {
                "correct": right(float_network, samples["images"], samples["labels"]),
                "deployed_correct": right(integer_network, samples["images"], samples["labels"]),
                "samples": len(samples["labels"]),
            }
            status |= found != recorded
            print(json.dumps({"part": path.stem, **found, "as_recorded": found == recorded}))
    return status


if __name__ == "__main__":
    sys.exit(main(Path(__file__).parent))
