"""The study folder: what is written reads back, what is torn or foreign is handled."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from dse.errors import StudyError
from dse.objectives import COLUMNS, parse_objectives
from dse.results import FailureRecord, FrontPoint, NetworkRecord, OwnFront, StudyFolder, list_studies, open_study
from dse.results.front_points import front_points, front_table
from dse.results.interval import wilson_interval
from dse.results.lines import append_line, cut_torn_line, read_lines, write_json, write_whole
from dse.results.lock import locked
from dse.results.manifest import FORMAT, Manifest, Session
from dse.results.reference import Reference
from dse.results.scores import pack_mask, score_from_dict, score_to_dict, unpack_mask
from dse.results.tables import front_rows, history_rows
from dse.results.typed import as_kind
from dse.score import NetworkScore
from searchspaces.genome import LayerGenome, NetworkGenome

OBJECTIVES = parse_objectives("acc,energy")
REFERENCE = Path(__file__).parents[2] / "results" / "mnist-reference"
MASK = np.array([[True, False, True], [False, False, True]])


def network(channels: int = 4) -> NetworkGenome:
    layers = (LayerGenome("conv1", "conv", channels, prune_ratio=0.5), LayerGenome("out", "fc", 10, spiking=False))
    return NetworkGenome((1, 8, 8), 5, 10, 2, 1, "or", "fc", "hard", layers)


def score(correct: int = 90) -> NetworkScore:
    rates = {"conv1": (0.1, 1 / 3)}
    return NetworkScore("g", "r", "d", 0, "c", correct + 1, 100, correct, (0.3,), rates, {"conv1": MASK}, 2, 1.5, "w")


def record(number: int, accuracy: float, energies: list[float], channels: int = 4) -> NetworkRecord:
    count = len(energies)
    metrics = {column: np.full(count, 1.0) for column in COLUMNS}
    metrics |= {"accuracy": np.full(count, accuracy), "energy_uj": np.array(energies)}
    machines = AcceleratorBatch.of([AcceleratorConfig(2, 4, 1, 2, 2 + i) for i in range(count)])
    return NetworkRecord(
        number=number,
        trial=number + 3,
        genome=network(channels + number),
        params={"timesteps": 2, "conv1.weights": "binary", "accuracy": 7},
        score=replace(score(), masks={"conv1": np.arange(channels + number)[:, None] % 2 > 0}),
        metrics={"accuracy": accuracy, "storage_kib": 1.0, "operations": 1.0},
        best={"energy_uj": min(energies)} if energies else {},
        machines=10,
        feasible=count,
        infeasible=(),
        violation=0.0,
        cached=False,
        elapsed_s=1.5 * number,
        hypervolume=0.1 * number,
        own_front=OwnFront(np.arange(count) * 2, machines, metrics),
    )


def manifest(**changes: object) -> Manifest:
    settings = {"objectives": ["acc", "energy"], "constraints": ["area_mm2<=2"], "mode": "nested", "trials": 3}
    whole = Manifest(
        FORMAT,
        "s",
        "2026-01-01T00:00:00+00:00",
        {},
        {},
        settings,
        {},
        {},
        dict.fromkeys(("space", "data", "technology", "code"), "0" * 16),
        {"name": "digits", "title": "Digits", "classes": 10},
        {"accuracy": 0.1, "energy_uj": 9.0},
        10,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    path = tmp_path / "study"
    path.mkdir()
    found = StudyFolder(path)
    found.write_manifest(manifest())
    return found


def test_networks_with_their_own_fronts_and_masks_read_back_equal(folder: StudyFolder) -> None:
    written = [record(0, 0.9, [1 / 3, 2.0]), record(1, 0.8, [])]
    for one in written:
        folder.add_network(one)
    for one, back in zip(written, folder.networks(masks=True), strict=True):
        assert back.to_dict() == one.to_dict()
        assert back.own_front.to_dict() == one.own_front.to_dict()
        assert [back.own_front.machines[i] for i in range(len(back.own_front))] == [
            one.own_front.machines[i] for i in range(len(one.own_front))
        ]
        assert np.array_equal(back.score.masks["conv1"], one.score.masks["conv1"])
        assert back.score.firing_rates == one.score.firing_rates
        assert back.genome == one.genome
    assert folder.networks()[0].score.masks == {}


def test_failures_designs_and_tests_read_back(folder: StudyFolder) -> None:
    failure = FailureRecord(3, "d", network(), {"a": 1}, "diverged", "why", 1.0, 2.0)
    folder.add_failure(failure)
    folder.add_test(4, {"correct": 1, "deployed_correct": 1, "samples": 2})
    machine = AcceleratorConfig(2, 4, 1, 2, 2)
    folder.add_design(7, 0, machine, None, False)
    assert folder.failures() == [failure]
    assert folder.test_scores() == {4: {"correct": 1, "deployed_correct": 1, "samples": 2}}
    assert folder.designs()[0]["machine"] == machine


def test_the_front_takes_the_best_of_all_networks_and_equal_points_once(folder: StudyFolder) -> None:
    for one in (record(0, 0.9, [1.0, 3.0]), record(1, 0.8, [0.5, 2.0]), record(2, 0.9, [1.0])):
        folder.add_network(one)
    assert [point.id for point in folder.front()] == ["0-0", "1-0"]
    point = folder.front()[0]
    assert (point.network, point.machine_index, point.fidelity, point.float_accuracy) == (0, 0, "short", 0.91)
    assert as_kind(json.loads(json.dumps(point.to_dict())), FrontPoint) == point


def test_merging_one_by_one_gives_the_front_of_all(folder: StudyFolder) -> None:
    draw = np.random.default_rng(2)
    records = [record(n, float(draw.random()), sorted(draw.random(3).tolist())) for n in range(12)]
    rows = {(n, r) for n, r in zip(*(a.tolist() for a in vars_of(records)), strict=True)}
    everything = [
        (r.metrics["accuracy"], e, r.number, i) for r in records for i, e in enumerate(r.own_front.metrics["energy_uj"])
    ]
    slow = {
        (n, i)
        for a, e, n, i in everything
        if not any((b >= a and f <= e and (b, f) != (a, e)) for b, f, _, _ in everything)
    }
    assert rows == slow


def vars_of(records: list[NetworkRecord]) -> tuple[np.ndarray, np.ndarray]:
    table = front_table(records, OBJECTIVES)
    return table.network, table.row


def test_flat_columns_of_genes_and_machines_are_prefixed() -> None:
    """A gene may be called like a metric (here ``accuracy``)."""
    (row,) = front_rows(front_points([record(0, 0.9, [1.0])], OBJECTIVES))
    assert (row["accuracy"], row["network.accuracy"], row["machine.vector_width"]) == (0.9, 7, 2)


def test_history_counts_trainings_and_keeps_the_best() -> None:
    rows = history_rows([record(0, 0.9, [2.0]), record(1, 0.8, []), record(2, 0.7, [1.0])], OBJECTIVES)
    assert [row["trainings"] for row in rows] == [1, 2, 3]
    assert [row["best_energy_uj"] for row in rows] == [2.0, 2.0, 1.0]
    assert [row["best_accuracy"] for row in rows] == [0.9, 0.9, 0.9]
    assert [row["front_size"] for row in rows] == [1, 1, 2]


def test_a_torn_last_line_is_passed_over_and_cut_before_the_next_append(folder: StudyFolder) -> None:
    folder.add_network(record(0, 0.9, [1.0]))
    whole = (folder.path / "networks.jsonl").read_bytes()
    for cut in (1, 7, len(whole) - 1):
        (folder.path / "networks.jsonl").write_bytes(whole + whole[:-cut])
        assert len(folder.networks()) == 1
        folder.repair()
        assert (folder.path / "networks.jsonl").read_bytes() == whole
    folder.add_network(record(1, 0.8, [1.0]))
    assert [r.number for r in folder.networks()] == [0, 1]


def test_points_without_their_network_do_not_count(folder: StudyFolder) -> None:
    """A kill between the two appends."""
    folder.add_network(record(0, 0.9, [1.0]))
    append_line(folder.path / "points.jsonl", {"number": 1, "own_front": record(1, 0.8, [5.0]).own_front.to_dict()})
    assert len(folder.networks()) == 1
    folder.add_network(record(1, 0.8, [0.5, 0.25]))
    assert len(folder.networks()[1].own_front) == 2


@given(st.binary(max_size=60))
def test_cutting_leaves_whole_lines_only(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "lines"
        path.write_bytes(content)
        cut = cut_torn_line(path)
        left = path.read_bytes()
        assert content.startswith(left)
        assert len(left) == len(content) - cut
        assert left == b"" or left.endswith(b"\n")


def test_a_damaged_line_in_the_middle_is_named(folder: StudyFolder) -> None:
    folder.add_network(record(0, 0.9, [1.0]))
    path = folder.path / "networks.jsonl"
    path.write_bytes(b"{broken\n" + path.read_bytes())
    with pytest.raises(StudyError, match=r"networks\.jsonl:1 must be a JSON object"):
        folder.networks()


def test_a_network_without_its_points_is_named(folder: StudyFolder) -> None:
    folder.add_network(record(0, 0.9, [1.0]))
    (folder.path / "points.jsonl").unlink()
    with pytest.raises(StudyError, match="network 0 must be complete"):
        folder.networks()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "must be the manifest of a study, not of something else"),
        ("[]", "must be the manifest of a study"),
        ("{", "must be readable JSON, not damaged"),
        (
            json.dumps({"format": FORMAT + 1, "study": "s"}),
            f"must be of format {FORMAT} or older, not {FORMAT + 1}; install",
        ),
        (json.dumps({"format": FORMAT, "study": "s"}), "must hold created, "),
    ],
)
def test_a_foreign_damaged_or_newer_folder_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(StudyError) as error:
        open_study(tmp_path)
    assert message in str(error.value)


def test_a_missing_folder_names_the_studies_there_are(folder: StudyFolder) -> None:
    with pytest.raises(StudyError, match=r"must be the folder of a study, not missing; .* holds study"):
        open_study(folder.path.parent / "stuyd")
    with pytest.raises(StudyError, match=r"manifest\.json must exist"):
        open_study(folder.path.parent)
    assert [found.name for found in list_studies(folder.path.parent)] == ["study"]
    assert list_studies(folder.path.parent / "nowhere") == []


def test_a_session_is_brought_up_to_date_in_the_manifest(folder: StudyFolder) -> None:
    begun = Session("2026", "", 1, "h", 1, 2, 0.0, "")
    running = manifest().with_session(begun)
    assert running.stop_reason == ""
    done = running.with_session(replace(begun, seconds=3.0, stop_reason="trials"))
    assert (len(done.sessions), done.seconds, done.stop_reason) == (1, 3.0, "trials")
    folder.write_manifest(done)
    assert open_study(folder.path).manifest == done


def test_a_lock_is_held_once_and_let_go(folder: StudyFolder) -> None:
    import os

    with (
        locked(folder.path),
        pytest.raises(StudyError, match=f"not in use by process {os.getpid()} on "),
        locked(folder.path),
    ):
        pass
    with locked(folder.path):
        pass


def test_a_whole_file_is_replaced_or_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, "old")
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"a": float("nan")})
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_not_a_number_never_reaches_a_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        append_line(tmp_path / "lines", {"a": float("inf")})
    assert list(read_lines(tmp_path / "lines")) == []


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_masks_pack_and_unpack(rows: int, columns: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((rows, columns)) < 0.5
    back = unpack_mask(json.loads(json.dumps(pack_mask(mask))))
    assert back.dtype == np.bool_
    assert np.array_equal(back, mask)


def test_a_score_travels_as_json() -> None:
    back = score_from_dict(json.loads(json.dumps(score_to_dict(score(), masks=True))))
    assert np.array_equal(back.masks["conv1"], MASK)
    assert {**vars(back), "masks": 0} == {**vars(score()), "masks": 0}


def test_a_study_from_before_event_data_reads_as_ever() -> None:
    """One density of the input as a number; digests that do not know of settings that are new."""
    line = {**score_to_dict(score(), masks=True), "input_density": 0.3}
    assert score_from_dict(line).input_density == (0.3,)
    lines = read_lines(REFERENCE / "networks.jsonl")
    assert all(NetworkGenome.from_dict(line["genome"]).digest() == line["digest"] for line in lines)


def test_wilson_interval_of_published_examples() -> None:
    """15 of 148 and 0 of 20: method 3 in Newcombe, Statistics in Medicine 17 (1998), table I."""
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(20, 20)[1] == 1.0
    with pytest.raises(ValueError, match="not 3 of 2"):
        wilson_interval(3, 2)


def test_the_reference_counts_errors_and_costs_in_decades() -> None:
    reference = Reference({"accuracy": 0.1, "energy_uj": 100.0})
    metrics = {"accuracy": np.array([0.91, 0.91]), "energy_uj": np.array([10.0, 1000.0])}
    assert reference.gains(metrics, OBJECTIVES) == pytest.approx(np.array([[1.0, 1.0], [1.0, -1.0]]))
    assert reference.volume(metrics, OBJECTIVES) == pytest.approx(1.0)
    halved = {**metrics, "energy_uj": metrics["energy_uj"] / 10}
    assert reference.volume(halved, OBJECTIVES) == pytest.approx(2.0)
    tenth_of_the_errors = {**metrics, "accuracy": 1 - (1 - metrics["accuracy"]) / 10}
    assert reference.volume(tenth_of_the_errors, OBJECTIVES) == pytest.approx(2.0)
    free = {"accuracy": np.array([1.0]), "energy_uj": np.array([0.0])}
    assert reference.gains(free, OBJECTIVES).tolist() == [[3.0, 9.0]]


def test_a_network_written_while_the_study_is_read_does_no_harm(
    folder: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader beside a running search: a network comes between the reading of one file and that of the next."""
    from dse.results import folder as module

    folder.add_network(record(0, 0.9, [1.0]))
    late = [record(1, 0.8, [0.5])]

    def reading(path: Path) -> object:
        yield from read_lines(path)
        if late:
            folder.add_network(late.pop())

    monkeypatch.setattr(module, "read_lines", reading)
    assert [each.number for each in folder.networks()] == [0]
    assert [each.number for each in folder.networks()] == [0, 1]
