"""Shape, pixel bits and classes of each data set: what a space needs to know without loading images."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DatasetShape:
    """``input_shape`` is channels, rows, columns; a pixel is an integer of ``input_bits`` bits."""

    input_shape: tuple[int, int, int]
    input_bits: int
    classes: int

    def stated(self) -> dict[str, Any]:
        """The table ``[images]`` of a file whose data set is the user's own."""
        return {"input_shape": list(self.input_shape), "classes": self.classes}


@cache
def dataset_shapes() -> dict[str, DatasetShape]:
    """Name of each known data set to its shape."""
    table = tomllib.loads((Path(__file__).parent / "datasets.toml").read_text(encoding="utf-8"))
    return {
        name: DatasetShape(
            (row["input_shape"][0], row["input_shape"][1], row["input_shape"][2]), row["input_bits"], row["classes"]
        )
        for name, row in table.items()
    }
