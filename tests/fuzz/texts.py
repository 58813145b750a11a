"""Texts that people write: spaces, candidates, trainings, technologies, settings, queues, objectives, constraints."""

from collections.abc import Callable, Iterator
from pathlib import Path

from target import Target

import costmodels.technology_file
from dse.cluster.connect import read_queue
from dse.config import SETTINGS, read_file
from dse.objectives import parse_constraint, parse_objectives
from searchspaces import candidate, training_config
from searchspaces.presets import preset_names
from searchspaces.recipe import Recipe
from searchspaces.space import SearchSpace, load_space

ROOT = Path(__file__).parents[2]
QUEUE = 'queue: slurm\njobs: 8\nwait_s: 7200\nwalltime: "12:00:00"\nscheduler_options: {interface: ib0}\nextra: ["a"]\n'
OBJECTIVES = [
    b"acc,energy",
    b"acc, energy*area ** 2",
    b"acc,(latency + dram_kib / 3.5) * energy_uj",
    b"acc,energy,area",
]
CONSTRAINTS = [b"area_mm2<=0.8", b"energy >= 1e-3", b"energy*area < 5", b"acc > .9"]
OWN_IMAGES = "\n[images]\ninput_shape = [3, 9, 7]\nclasses = 4\n"


def _file(name: str, load: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    def read(data: bytes, folder: Path) -> object:
        (folder / name).write_bytes(data)
        return load(folder / name)

    return read


def _presets(folder: Path) -> Iterator[bytes]:
    for path in sorted((ROOT / folder).glob("*.toml")):
        yield path.read_bytes()


def _spaces(_: Path) -> list[bytes]:
    own = '[space]\nname = "mine"\nextends = "digits"\n[network]\ntimesteps = [1, 2]\n'
    small = [text for text in _presets(Path("searchspaces/presets")) if len(text) < 4000]
    return [own.encode(), *small, small[0] + OWN_IMAGES.encode()]


def _space(path: Path) -> SearchSpace:
    """A space that is read can be counted, described and read back."""
    space = load_space(path)
    assert SearchSpace.from_dict(space.to_dict()).digest() == space.digest()
    assert space.combinations() >= 1
    return space


def seed_candidates() -> Iterator[candidate.Candidate]:
    """A candidate of every preset."""
    for name in preset_names():
        space = load_space(name)
        genome = space.network.genome({gene.name: gene.choices[-1] for gene in space.network.genes})
        machine = space.accelerator.config({gene.name: gene.choices[0] for gene in space.accelerator.genes})
        rates = {layer.name: (0.2,) * genome.timesteps for layer in genome.layers if layer.spiking}
        activity = candidate.Activity((0.3,), rates)
        yield candidate.Candidate(genome, machine, "seed", space.dataset, "of a test", {"name": "lp40"}, activity)


def _candidates(_: Path) -> list[bytes]:
    return [candidate.to_toml(one).encode() for one in seed_candidates()]


def _candidate(path: Path) -> object:
    """A candidate that is read can be lowered."""
    return candidate.workload(candidate.load_candidate(path))


def _trainings(_: Path) -> list[bytes]:
    make = training_config.TrainingConfig
    return [
        training_config.to_toml(make("seed", one.dataset, one.network, Recipe(epochs=2), 1)).encode()
        for one in seed_candidates()
    ]


def _technologies(_: Path) -> list[bytes]:
    own = b'base = "lp40"\nname = "mine"\n[settings]\nnode_nm = 28\ndram_pj_per_bit = {value = 4.6, unit = "pJ/bit"}\n'
    return [own, *_presets(Path("costmodels/data/technology"))]


def _settings(_: Path) -> list[bytes]:
    values = {
        "text": '"acc,area"',
        "path": '"a/b"',
        "integer": "3",
        "number": "1.5",
        "switch": "true",
        "list": '["area_mm2<=1"]',
    }
    return ["\n".join(f"{each.name} = {values[each.kind]}" for each in SETTINGS if not each.choices).encode()]


def _text(parse: Callable[[str], object]) -> Callable[[bytes, Path], object]:
    return lambda data, _: parse(data.decode("utf-8", "replace"))


TARGETS = (
    Target("space", _spaces, _file("own.toml", _space)),
    Target("candidate", _candidates, _file("candidate.toml", _candidate)),
    Target("training", _trainings, _file("training.toml", training_config.load_training)),
    Target("technology", _technologies, _file("own.toml", costmodels.technology_file.load)),
    Target("settings", _settings, _file("dse.toml", read_file)),
    Target("queue", lambda _: [QUEUE.encode()], _file("queue.yaml", read_queue)),
    Target("objectives", lambda _: OBJECTIVES, _text(parse_objectives), 2),
    Target("constraint", lambda _: CONSTRAINTS, _text(parse_constraint), 2),
)
