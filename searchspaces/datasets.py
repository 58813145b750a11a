"""Shape, pixel bits and classes of each data set: what a space needs to know without loading images."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DatasetShape:
    """``input_shape`` is channels, rows, columns; a pixel is an integer of ``input_bits`` bits.

    ``static_input`` is True for images, False for recordings of events, which become one frame a time step.
    """

    input_shape: tuple[int, int, int]
    input_bits: int
    classes: int
    static_input: bool = True

    def stated(self) -> dict[str, Any]:
        """The table ``[images]`` of a file whose data set is the user's own."""
        return {"input_shape": list(self.input_shape), "classes": self.classes}


@cache
def dataset_shapes() -> dict[str, DatasetShape]:
    """Name of each known data set to its shape."""
    table = tomllib.loads((Path(__file__).parent / "datasets.toml").read_text(encoding="utf-8"))
    return {name: DatasetShape(**{**row, "input_shape": tuple(row["input_shape"])}) for name, row in table.items()}
