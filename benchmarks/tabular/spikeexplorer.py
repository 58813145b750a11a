"""SpikeExplorer's optimiser (Padovano et al., Electronics 13, 2024): Bayesian optimisation of all choices through Ax.

Needs ``pip install ax-platform``, in an environment of its own since it brings a torch it likes.
"""

import logging
from collections.abc import Sequence
from typing import Any

from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig
from ax.utils.common.logger import set_ax_logger_levels
from question import Question

from searchspaces.genes import Gene, chosen


class Ax:
    """Ax with its defaults: random designs, then a Gaussian process and noisy expected hypervolume improvement."""

    def __init__(self, question: Question, seed: int) -> None:
        set_ax_logger_levels(logging.ERROR)
        self._space, self._objectives = question.space, question.problem.objectives
        self._names = {
            f"p{place}": (side, gene)
            for place, (side, gene) in enumerate(
                [("network", gene) for gene in self._space.network.genes if gene.free]
                + [("machine", gene) for gene in self._space.accelerator.genes if gene.free]
            )
        }
        self._client = Client(random_seed=seed)
        self._client.configure_experiment([_parameter(name, gene) for name, (_, gene) in self._names.items()])
        signs = ["" if o.maximise else "-" for o in self._objectives]
        self._client.configure_optimization(
            ", ".join(sign + o.column for sign, o in zip(signs, self._objectives, strict=True))
        )

    def ask(self) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Trial number, and the genes of a network and of a machine."""
        ((trial, params),) = self._client.get_next_trials(max_trials=1).items()
        sides: dict[str, dict[str, Any]] = {"network": {}, "machine": {}}
        for name, (side, gene) in self._names.items():
            sides[side][gene.name] = gene.choices[int(params[name])]
        network, machine = self._space.network.genes, self._space.accelerator.genes
        return trial, chosen(network, sides["network"]), chosen(machine, sides["machine"])

    def tell(self, handle: Any, values: Sequence[float]) -> None:
        """The objectives."""
        data = {o.column: value for o, value in zip(self._objectives, values, strict=True)}
        self._client.complete_trial(handle, raw_data=data)


def _parameter(name: str, gene: Gene) -> ChoiceParameterConfig:
    places = list(range(len(gene.choices)))
    return ChoiceParameterConfig(name=name, values=places, parameter_type="int", is_ordered=gene.ordered)
