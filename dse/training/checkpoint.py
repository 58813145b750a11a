"""A training on disk between two epochs: one safetensors file, from which it goes on exactly where it was."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from costmodels.errors import InputError
from dse.training.optimise import Loop

FILE = "checkpoint.safetensors"


class CheckpointError(InputError):
    """A checkpoint that is damaged, or of another training."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What was read back.

    Attributes:
        stage, epochs: epochs of that stage that are over.
        rng: state of the generator of samples.
        tensors: all that the loop changes, by name.
        binarised: layers that training has made binary.
        ale: decisions about them that are taken, and the loss that is left to spend, if any.
    """

    stage: int
    epochs: int
    rng: dict[str, Any]
    tensors: dict[str, Tensor]
    binarised: list[str]
    ale: tuple[int, float | None]


def save(folder: Path, key: str, stage: int, epochs: int, loop: Loop) -> None:
    """Replace the folder's checkpoint; a reader, or a kill, meets the old one or the new one."""
    partial = folder / f".{FILE}.part"
    state = {"key": key, "stage": stage, "epochs": epochs, "rng": loop.rng.bit_generator.state}
    ale = (0, None) if loop.ale is None else (loop.ale.taken, loop.ale.loss)
    state |= {"binarised": loop.network.binarised, "ale": ale}
    tensors = {name: tensor.contiguous() for name, tensor in (*_in_place(loop).items(), *_moments(loop).items())}
    save_file(tensors, partial, metadata={"state": json.dumps(state)})
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(folder / FILE)


def read(folder: Path, key: str) -> Checkpoint | None:
    """The folder's checkpoint, or None where there is none.

    Raises:
        CheckpointError: it is damaged, or the training it belongs to has another key.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads(file.metadata()["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if state["key"] == key:
            binarised, ale = state["binarised"], tuple(state["ale"])
            return Checkpoint(state["stage"], state["epochs"], state["rng"], tensors, binarised, ale)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"checkpoint must be whole, not damaged ({path}: {error}); remove it") from error
    raise CheckpointError(
        f"output folder must be new or of this training, not of another configuration, data set or version ({folder}); "
        "name another with -o"
    )


@torch.no_grad()
def restore(loop: Loop, checkpoint: Checkpoint) -> None:
    """Bring the loop to where the checkpoint was taken."""
    for name, tensor in _in_place(loop).items():
        tensor.copy_(checkpoint.tensors[name])
    for number, parameter in enumerate(loop.network.parameters()):
        prefix = f"moments.{number}."
        loop.optimise.state[parameter] = {
            name.removeprefix(prefix): tensor.to(parameter.device)
            for name, tensor in checkpoint.tensors.items()
            if name.startswith(prefix)
        }
    loop.rng.bit_generator.state = checkpoint.rng
    loop.network.hold_binary(checkpoint.binarised)
    if loop.ale is not None:
        loop.ale.resume(*checkpoint.ale)


def _in_place(loop: Loop) -> dict[str, Tensor]:
    """What exists from the first step on: parameters, buffers, averages behind flips and pruning, chosen samples."""
    synapses = loop.network.all_synapses()
    averages = () if loop.flips is None else loop.flips.averages
    return {
        **{f"network.{name}": tensor for name, tensor in loop.network.state_dict().items()},
        **{f"gradient.{number}": s.gradient for number, s in enumerate(synapses) if s.gradient is not None},
        **{f"flips.{number}": average for number, average in enumerate(averages)},
        "chosen": torch.from_numpy(loop.chosen),
    }


def _moments(loop: Loop) -> dict[str, Tensor]:
    """The optimiser's state of every parameter that it has moved."""
    return {
        f"moments.{number}.{name}": tensor
        for number, parameter in enumerate(loop.network.parameters())
        for name, tensor in loop.optimise.state[parameter].items()
    }
