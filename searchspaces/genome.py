"""The genome of a spiking network: everything that decides its accuracy, and nothing of the machine."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

Pooling = Literal["or", "average", "membrane", "count"]
Head = Literal["fc", "gap"]
Reset = Literal["hard", "soft"]
Route = Literal["stbp", "conversion", "rounded-conversion"]
LEVELS = (1, 3, 7)
"""Numbers of strengths that fill whole bit planes: a power of two less one."""
SLICES = 8
"""Equal parts of the time of an event recording; a frame is made of whole ones, so the time steps divide them."""


@dataclass(frozen=True)
class LayerGenome:
    """One layer. ``channels`` counts maps written: a dual-threshold layer has half as many filters.

    Attributes:
        name: unique in the network.
        kind: ``"conv"`` (padding is ``kernel // 2``) or ``"fc"``.
        channels: output channels; the number of classes for the classifier.
        kernel, stride: of the convolution in pixels; 1 for ``"fc"``.
        pool: edge and stride of the pooling window behind the neuron; 1 is none.
        weight_bits: 1 (binary), 2, 4 or 8.
        dual_threshold: two spike maps from each membrane map.
        prune_ratio: share of kernels (output-input channel pairs) removed, in [0, 1).
        spiking: False for the classifier alone.
    """

    name: str
    kind: Literal["conv", "fc"]
    channels: int
    kernel: int = 3
    stride: int = 1
    pool: int = 1
    weight_bits: int = 1
    dual_threshold: bool = False
    prune_ratio: float = 0.0
    spiking: bool = True

    @property
    def filters(self) -> int:
        """Filters and membrane maps."""
        return self.channels // 2 if self.dual_threshold else self.channels


@dataclass(frozen=True)
class NetworkGenome:
    """A network: active genes only, so that two genomes are equal exactly when they train the same network.

    The last layer is the classifier: ``"fc"`` under head ``fc``; under head ``gap`` a convolution to ``classes`` maps,
    summed over space. Either way its sums are accumulated over time steps, and the largest wins.

    Attributes:
        input_shape: channels, rows, columns.
        input_bits: bits of one input pixel.
        static_input: an image enters the first layer, unchanged at every step; False where events do, a frame a step.
        timesteps: T.
        levels: strengths of one spike; 1 is a plain spike, 3 and 7 are multi-strength spikes, which reset softly.
        pooling: rule of every pooling window: ``"or"`` (the largest strength), ``"average"`` (their sum), or the spikes
            of one winner, which has gathered the largest potential, never reset (``"membrane"``), or the most spikes
            (``"count"``), so far.
        head: ``"fc"`` or ``"gap"``.
        reset: membrane after a spike: 0 (``hard``) or less the threshold (``soft``).
        layers: in order, classifier last.
        bwo: binary weights change by flips alone in a last phase of training (binary weight optimisation).
        first_stage_timesteps: T of a first stage of training, more or fewer than of the second; 1 is no such stage.
        dynamic_pruning: removed kernels may come back while the network is trained.
        route: how weights are learnt: through time by surrogate gradients (``"stbp"``), or as a CNN of rectified units
            whose activations then become thresholds (``"conversion"``), in the second half of its training rounded to
            what that many steps can say (``"rounded-conversion"``).
        ale_saving: share of the bits of all weights that training has to save by making layers binary, those that the
            accuracy loss estimator (ALE) picks; 0 where it picks none by bits.
        ale_loss: rise of the loss (in nats) that ALE may estimate for the layers it makes binary; 0 where it picks none
            by loss.
    """

    input_shape: tuple[int, int, int]
    input_bits: int
    classes: int
    timesteps: int
    levels: int
    pooling: Pooling
    head: Head
    reset: Reset
    layers: tuple[LayerGenome, ...]
    dynamic_pruning: bool = False
    bwo: bool = False
    first_stage_timesteps: int = 1
    static_input: bool = True
    route: Route = "stbp"
    ale_saving: float = 0.0
    ale_loss: float = 0.0

    @property
    def ale(self) -> bool:
        """Training picks layers that become binary."""
        return self.ale_saving > 0 or self.ale_loss > 0

    @property
    def converted(self) -> bool:
        """A CNN is trained, and then made to spike."""
        return self.route != "stbp"

    def binarised(self, names: Collection[str]) -> "NetworkGenome":
        """The network in which these layers are binary, as training left it; nothing is left to pick."""
        layers = tuple(replace(layer, weight_bits=1) if layer.name in names else layer for layer in self.layers)
        return replace(self, layers=layers, ale_saving=0.0, ale_loss=0.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` reads back to an equal genome."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "NetworkGenome":
        """The genome that `to_dict` (or its JSON) describes."""
        layers = tuple(LayerGenome(**layer) for layer in data["layers"])
        return cls(**{**data, "input_shape": tuple(data["input_shape"]), "layers": layers})

    def digest(self) -> str:
        """16 hexadecimal digits that differ where the network differs.

        Settings at their default are left out, so that a setting that is new changes no digest of an older study.
        """
        default = {field.name: field.default for field in fields(self)}
        stated = {name: value for name, value in self.to_dict().items() if value != default[name]}
        text = json.dumps(stated, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
