"""What no training can be asked for, each with its reason."""

from collections.abc import Iterator

from costmodels.errors import ConfigurationError
from dse.training.quantise import FLOAT_BITS
from searchspaces.binarisation import saving_rule, savings
from searchspaces.genome import LEVELS, SLICES, NetworkGenome

WIDTHS = (1, 2, 4, 8, FLOAT_BITS)


def check_trainable(genome: NetworkGenome) -> None:
    """Refuse what cannot be trained.

    Raises:
        ConfigurationError: all reasons at once.
    """
    if problems := [*_layers(genome), *_dynamics(genome), *_binarisation(genome), *_conversion(genome)]:
        raise ConfigurationError("\n".join(problems))


def _layers(genome: NetworkGenome) -> Iterator[str]:
    if len(genome.layers) < 2 or genome.layers[-1].spiking or not all(layer.spiking for layer in genome.layers[:-1]):
        yield "layers must be one or more that spike and then a classifier that does not"
    for layer in genome.layers:
        if layer.weight_bits not in WIDTHS:
            yield f"weight bits must be 1, 2, 4 or 8, not {layer.weight_bits} (layer {layer.name})"


def _dynamics(genome: NetworkGenome) -> Iterator[str]:
    if not genome.static_input and (SLICES % genome.timesteps or SLICES % genome.first_stage_timesteps):
        yield (
            f"timesteps must divide the {SLICES} slices of an event recording, not be {genome.timesteps} "
            f"(first stage {genome.first_stage_timesteps})"
        )
    if genome.levels not in LEVELS:
        yield f"levels must be one of {', '.join(map(str, LEVELS))}, not {genome.levels}"
    if genome.levels > 1 and genome.reset == "hard":
        yield "reset must be soft where levels exceed 1, not hard: a strength is what is subtracted"


def _binarisation(genome: NetworkGenome) -> Iterator[str]:
    if genome.bwo and not genome.ale and all(layer.weight_bits > 1 for layer in genome.layers):
        yield "bwo must be False in a network without binary layers, not True"
    if genome.ale_saving and genome.ale_loss:
        yield f"ale_loss must be 0 where ale_saving is the budget, not {genome.ale_loss:g}"
    if genome.ale and not savings(genome):
        yield "ale needs a layer of more than one weight bit between the first and the classifier, and has none"
    elif rule := saving_rule(genome):
        yield f"ale_saving must {rule}, not {genome.ale_saving:g}"


def _conversion(genome: NetworkGenome) -> Iterator[str]:
    if not genome.converted:
        return
    if not genome.static_input:
        yield (
            f"route must be stbp on event data, not {genome.route}: a CNN sees one frame where the network sees several"
        )
    for layer in genome.layers:
        if layer.dual_threshold:
            yield f"dual_threshold must be False in conversion, not True: a rectified unit has one (layer {layer.name})"
    if genome.reset == "hard":
        yield "reset must be soft in conversion, not hard: what a hard reset throws away is activation"
    if genome.first_stage_timesteps > 1:
        yield (f"first_stage_timesteps must be 1 in conversion, not {genome.first_stage_timesteps}: it has no steps")
