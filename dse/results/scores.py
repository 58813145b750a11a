"""A network's score as plain data: in the lines of a study, and between a worker and the coordinator."""

import base64
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.results.lines import read_json, write_json
from dse.score import NetworkScore

Masks = dict[str, NDArray[np.bool_]]


def score_to_dict(score: NetworkScore, masks: bool) -> dict[str, Any]:
    """JSON that `score_from_dict` reads back; the masks are packed into text, or left out."""
    plain = {name: value for name, value in vars(score).items() if name != "masks"}
    packed = {name: pack_mask(mask) for name, mask in score.masks.items()} if masks else {}
    return {**plain, "firing_rates": {k: list(v) for k, v in score.firing_rates.items()}, "masks": packed}


def score_from_dict(data: dict[str, Any], masks: Masks | None = None) -> NetworkScore:
    """The score that `score_to_dict` wrote, with ``masks`` where they were left out."""
    rates = {name: tuple(float(rate) for rate in rates) for name, rates in data["firing_rates"].items()}
    density = data["input_density"]  # a number in studies from before event data
    found = {
        "input_density": (density,) if isinstance(density, float) else tuple(density),
        "firing_rates": rates,
        "masks": {name: unpack_mask(mask) for name, mask in data["masks"].items()} if masks is None else masks,
        "binarised": tuple(data.get("binarised", ())),  # studies from before ALE know no such layers
    }
    return NetworkScore(**{**data, **found})


def pack_mask(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Shape and compressed bits of one mask."""
    bits = zlib.compress(np.packbits(mask.astype(np.bool_)).tobytes())
    return {"shape": list(mask.shape), "bits": base64.b64encode(bits).decode()}


def unpack_mask(packed: dict[str, Any]) -> NDArray[np.bool_]:
    """The mask that `pack_mask` packed."""
    raw = np.frombuffer(zlib.decompress(base64.b64decode(packed["bits"])), dtype=np.uint8)
    count = int(np.prod(packed["shape"]))
    return np.unpackbits(raw, count=count).astype(np.bool_).reshape(packed["shape"])


def write_masks(path: Path, masks: Masks) -> None:
    """Write the masks of one network to one file, whole or not at all."""

    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {name: pack_mask(mask) for name, mask in masks.items()})


def read_masks(path: Path) -> Masks:
    """The masks that `write_masks` wrote; none where there is no file (nothing was pruned)."""

    return {name: unpack_mask(mask) for name, mask in read_json(path).items()} if path.exists() else {}
