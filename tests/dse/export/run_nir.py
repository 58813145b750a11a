"""Runs NIR files in Norse, which knows nothing of this project: each folder's network.nir on its inputs.npy.

Inputs are [n, T, C, H, W], or [n, 1, C, H, W] where every step sees the same.
result.npz gets what every node put out, by its name, [n, T, ...], and the sums of the output, [n, classes].
"""

import sys
from collections import defaultdict
from typing import Any

import nir
import norse.torch
import numpy as np
import torch


def run(path: str, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Outputs of all nodes of every input, one after the other, step by step."""
    graph = nir.read(path)
    network = norse.torch.from_nir(graph)
    results: dict[str, list[torch.Tensor]] = defaultdict(list)
    for steps in torch.from_numpy(inputs).float():
        seen: dict[str, list[torch.Tensor]] = defaultdict(list)

        def note(name: str, result: Any, seen: dict[str, list[torch.Tensor]] = seen) -> None:
            seen[name].append(result[0] if isinstance(result, tuple) else result)

        hooks = [
            module.register_forward_hook(lambda _module, _inputs, result, name=name: note(name, result))
            for name, module in network.named_children()
        ]
        state, total = None, torch.zeros(())
        for t in range(int(graph.metadata["timesteps"])):
            scores, state = network(steps[t % len(steps)], state)
            total = total + scores
        for hook in hooks:
            hook.remove()
        for name, found in seen.items():
            results[name].append(torch.stack(found))
        results["scores"].append(total)
    return {name: torch.stack(found).numpy() for name, found in results.items()}


if __name__ == "__main__":
    assert not [name for name in sys.modules if name.partition(".")[0] in ("dse", "costmodels", "searchspaces")]
    with torch.no_grad():
        for folder in sys.argv[1:]:
            np.savez(f"{folder}/result.npz", **run(f"{folder}/network.nir", np.load(f"{folder}/inputs.npy")))
