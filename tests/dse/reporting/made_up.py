"""Report data of a study that never ran: plausible numbers, so that pages can be tested without a search."""

import math

from dse.reporting.report_data import (
    Accuracies,
    Axis,
    FailureRow,
    LayerCycles,
    Point,
    ReportData,
    Share,
    Tile,
    TracePoint,
)

ACCURACY = Axis("acc", "Deployed accuracy", "fraction", "accuracy", True)
ENERGY = Axis("energy", "Energy per inference", "µJ", "energy_uj", False)
OTHERS = (
    Axis("latency", "Latency", "ms", "latency_ms", False),
    Axis("area", "Area", "mm²", "area_mm2", False),
    Axis("edp", "Energy-delay product", "µJ·ms", "edp_uj_ms", False),
    Axis("dram", "DRAM traffic", "KiB", "dram_kib", False),
    Axis("storage", "Weight storage", "KiB", "storage_kib", False),
    Axis("ops", "Synaptic operations", "", "operations", False),
)


def share(value: float, samples: int = 500) -> Share:
    half = 1.96 * math.sqrt(value * (1 - value) / samples)
    return Share(value, max(0.0, value - half), min(1.0, value + half), samples)


def point(index: int, accuracy: float, energy_uj: float, later: bool = False) -> Point:
    latency_ms = energy_uj / 40
    metrics = {
        "accuracy": accuracy,
        "energy_uj": energy_uj,
        "latency_ms": latency_ms,
        "area_mm2": 0.4 + 0.05 * index,
        "edp_uj_ms": energy_uj * latency_ms,
        "dram_kib": 12.5 * (index + 1),
        "storage_kib": 3.2 * (index + 1),
        "operations": 120_000 * (index + 1),
    }
    accuracies: dict = {"short": Accuracies(share(min(1.0, accuracy + 0.004)), share(accuracy))}
    if later:
        accuracies["refined"] = Accuracies(share(min(0.999, accuracy + 0.012)), share(min(0.998, accuracy + 0.01)))
        accuracies["test"] = Accuracies(
            share(min(0.999, accuracy + 0.009), 10_000), share(min(0.998, accuracy + 0.008), 10_000)
        )
    parts = {
        "dram": 0.3,
        "spike_sram": 0.17,
        "weight_sram": 0.13,
        "membrane_sram": 0.02,
        "pe_array": 0.16,
        "adder_trees": 0.07,
        "accumulators": 0.05,
        "if_units": 0.03,
        "control": 0.04,
        "leakage": 0.03,
    }
    blocks = {"pe_array": 0.2, "adder_trees": 0.15, "spike_sram": 0.35, "weight_sram": 0.2, "control": 0.1}
    layers = (
        *tuple(LayerCycles(f"conv{n}", 900 * (index + 1) / n, 130 * n, 60) for n in (1, 2, 3)),
        LayerCycles("fc", 90, 300, 12),
    )
    return Point(
        id=f"{index}-{100 + index}",
        network=f"conv1 8b {8 * (index + 1)}ch, conv2 binary dual {16 * (index + 1)}ch, T={1 + index % 4}, or-pool, fc",
        machine="V=8 L=32 F=2 spike 64 KiB weight 32 KiB inner",
        metrics=metrics,
        accuracies=accuracies,
        energy_uj={name: part * energy_uj for name, part in parts.items()},
        area_mm2={name: part * metrics["area_mm2"] for name, part in blocks.items()},
        layers=layers,
        parameters=(("conv1.weights", "8 bit"), ("timesteps", str(1 + index % 4)), ("vector_width", "8")),
    )


def study(points: int = 12, title: str = "digits-made-up", failures: int = 2) -> ReportData:
    front = tuple(
        point(
            i,
            0.985 - 0.1 * ((points - 1 - i) / max(points, 12)) ** 1.6,
            0.4 * 80 ** (i / max(points, 12)),
            i >= points - 3,
        )
        for i in reversed(range(points))
    )
    dominated = (
        tuple(point(200 + i, 0.90 + 0.06 * math.sin(i) ** 2 - 0.001 * i, 0.7 * 1.12**i) for i in range(30))
        if points
        else ()
    )
    trace = tuple(TracePoint(i + 1, 3.1 * (i + 1), 2.6 * (1 - math.exp(-i / 9))) for i in range(40)) if points else ()
    failed = tuple(
        FailureRow(7 + 9 * i, "diverged", "loss became NaN in epoch 2", 1.7, "conv1 4b 16ch, T=2, or-pool, fc")
        for i in range(failures)
    )
    return ReportData(
        title=title,
        subtitle="digits · nested search · 21 November 2026",
        summary=(
            "42 networks of the space's 18,432 were trained on digits and each was priced on all 4,320 machines.",
            f"{points} points are on the front.",
        ),
        tiles=(
            Tile("42", "networks trained"),
            Tile(str(failures), "failed"),
            Tile("3", "from the cache"),
            Tile("2 min 10 s", "search time"),
            Tile("98.5 %", "best deployed accuracy, short run"),
            Tile("0.4 µJ", "least energy"),
        ),
        objectives=(ACCURACY, ENERGY),
        quantities=(ACCURACY, ENERGY, *OTHERS),
        front=front,
        refined=front[:3],
        dominated=dominated,
        trace=trace,
        reference="Measured from accuracy 0.1 and 60 µJ, fixed before the first training.",
        failures=failed,
        settings=(
            ("Search", (("mode", "nested"), ("sampler", "gp then tpe"), ("seed", "0"))),
            ("Versions", (("dse", "0.1.0"),)),
        ),
        limits=("Energy is fitted to figures that were recalled, not read in their source.",),
        commands=(
            ("dse show digits-made-up 3-103", "one point layer by layer"),
            ("dse recost digits-made-up --dram 12.45", "other DRAM"),
        ),
    )
