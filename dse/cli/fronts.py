"""A study's front on stdout: as a table for people, as JSON for scripts; each fidelity in a table of its own."""

import sys
from typing import TYPE_CHECKING, Any

from dse.console import Column, say, say_table
from dse.words import amount, machine_words, network_words, share_words

if TYPE_CHECKING:
    from dse.objectives import Objective
    from dse.results import FrontPoint, NetworkRecord, StudyFolder

ALWAYS_SHOWN = ("energy_uj", "latency_ms", "area_mm2")


def say_front(folder: "StudyFolder") -> int:
    """Print the front and, where there is one, the front of the refined networks; return the points of the first."""
    from dse.results.front_points import front_points

    networks = folder.networks()
    points = front_points(networks, folder.objectives)
    if points:
        say_points(folder.objectives, points, networks)
    refined = folder.refined()
    if refined:
        say("\nRefined: trained longer, then scored once on the test set")
        say_points(folder.objectives, front_points(refined, folder.objectives), refined, folder.test_scores())
    return len(points)


def say_points(
    objectives: "tuple[Objective, ...]",
    points: "tuple[FrontPoint, ...]",
    networks: "list[NetworkRecord]",
    tests: dict[int, dict[str, int]] | None = None,
) -> None:
    """Print points of one fidelity: accuracies with intervals, costs, network and machine in words."""
    from dse.results.ties import ties

    by_number = {record.number: record for record in networks}
    costs, tied = _costs(objectives), ties(points, by_number, objectives)
    columns = [Column("id"), Column("deployed accuracy"), *[Column("tied with")] * bool(tied), Column("float", "right")]
    columns += [Column("test, deployed")] * (tests is not None)
    columns += [
        Column(objective.name + (f" {objective.unit}" if objective.unit else ""), "right") for objective in costs
    ]
    folded = sys.stdout.isatty()  # where columns are scarce, the words of network and machine share one
    columns += [Column(title, fold=True) for title in (("network on machine",) if folded else ("network", "machine"))]
    rows = []
    for point in points:
        record = by_number[point.network]
        tested = [_tested(tests.get(point.network))] if tests is not None else []
        accuracy = share_words(record.score.deployed_correct, record.score.samples)
        words: tuple[str, ...] = (network_words(record.genome, record.score.binarised), machine_words(point.machine))
        values = (amount(point.metrics[objective.column]) for objective in costs)
        words = (" on ".join(words),) if folded else words
        rival = [tied.get(point.id, "")] * bool(tied)
        rows.append((point.id, accuracy, *rival, f"{100 * point.float_accuracy:.1f} %", *tested, *values, *words))
    say_table(columns, rows)


def _costs(objectives: "tuple[Objective, ...]") -> "list[Objective]":
    """Columns of the table beside accuracy: what was asked for first, then what a designer always wants."""
    from dse.objectives import BY_COLUMN

    asked = [objective for objective in objectives if objective.column != "accuracy"]
    return list(dict.fromkeys((*asked, *(BY_COLUMN[column] for column in ALWAYS_SHOWN))))


def _tested(counts: dict[str, int] | None) -> str:
    return share_words(counts["deployed_correct"], counts["samples"]) if counts else "-"


def front_json(folder: "StudyFolder") -> dict[str, Any]:
    """The front and the refined front with everything that is known of each point."""
    networks, refined, tests = folder.networks(), folder.refined(), folder.test_scores()
    return {
        "study": folder.name,
        "folder": str(folder.path),
        "objectives": [vars(objective) for objective in folder.objectives],
        "constraints": [str(constraint) for constraint in folder.constraints],
        "front": _plain(folder, networks, {}),
        "refined": _plain(folder, refined, tests),
    }


def _plain(
    folder: "StudyFolder", networks: "list[NetworkRecord]", tests: dict[int, dict[str, int]]
) -> list[dict[str, Any]]:
    from dse.results.front_points import front_points
    from dse.results.ties import ties

    by_number = {record.number: record for record in networks}
    points = front_points(networks, folder.objectives)
    tied = ties(points, by_number, folder.objectives)
    return [
        {
            **point.to_dict(),
            "network_words": network_words(by_number[point.network].genome, by_number[point.network].score.binarised),
            "binarised": by_number[point.network].score.binarised,
            "machine_words": machine_words(point.machine),
            "samples": by_number[point.network].score.samples,
            "test": tests.get(point.network),
            "tied_with": tied.get(point.id),
        }
        for point in points
    ]
