"""The stages of a run: one, or two for a network that is first trained with another number of time steps.

A network to be converted has one stage, at one step, with rectified units; `dse.training.conversion` follows. Where
its activations are rounded, that is a second stage, divided from the first as below.

DT-SCNN (Lei et al. 2024) publishes that two stages of STBP bring inference to one step; the rest is ours: the epochs
are divided between the stages, at least one each, and the second starts from the weights, batch norms and masks of the
first at half its learning rate (of 0.1, 0.25, 0.5 and 1 times, half cost the digits least). The first stage resets and
pools as the genome says, prunes to the end and picks binary layers; binary weight optimisation belongs to the second.

A first stage of more steps takes half of the epochs. One of fewer steps is there to save time, and takes most of them
(docs/decisions/0018).
"""

from dataclasses import dataclass, replace

from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe

SECOND_LEARNING_RATE = 0.5  # of the recipe's
FIRST_PART = 0.5  # of the epochs
FIRST_PART_OF_FEWER_STEPS = 0.875


@dataclass(frozen=True)
class Stage:
    """What one stage trains and how.

    Attributes:
        settled: masks and weight bits are those of the stage before.
        rectified: units of a CNN stand in the place of neurons.
        rounded_to: values above 0 that these units may answer; 0 where they answer any.
    """

    genome: NetworkGenome
    recipe: Recipe
    settled: bool = False
    rectified: bool = False
    rounded_to: int = 0


def stages(genome: NetworkGenome, recipe: Recipe) -> tuple[Stage, ...]:
    """The stages in order; every stage's network has parameters of the same names and shapes."""
    if genome.converted:
        return _of_conversion(genome, recipe)
    if genome.first_stage_timesteps == 1:
        return (Stage(genome, recipe),)
    other = replace(genome, timesteps=genome.first_stage_timesteps, first_stage_timesteps=1, bwo=False)
    fewer = other.timesteps < genome.timesteps
    first, second = _divided(recipe, FIRST_PART_OF_FEWER_STEPS if fewer else FIRST_PART)
    return Stage(other, first), Stage(genome, second, settled=True)


def _of_conversion(genome: NetworkGenome, recipe: Recipe) -> tuple[Stage, ...]:
    """The stages of a CNN."""
    cnn = replace(genome, timesteps=1)
    if genome.route == "conversion":
        return (Stage(cnn, recipe, rectified=True),)
    first, second = _divided(recipe, FIRST_PART)
    values = genome.timesteps * genome.levels
    return (
        Stage(replace(cnn, bwo=False), first, rectified=True),
        Stage(cnn, second, settled=True, rectified=True, rounded_to=values),
    )


def _divided(recipe: Recipe, part: float) -> tuple[Recipe, Recipe]:
    """The recipes of two stages, the first with that part of the epochs."""
    first_epochs = int(part * recipe.epochs)
    first = replace(recipe, epochs=max(1, first_epochs))
    second = replace(
        recipe,
        epochs=max(1, recipe.epochs - first_epochs),
        learning_rate=SECOND_LEARNING_RATE * recipe.learning_rate,
    )
    return first, second
