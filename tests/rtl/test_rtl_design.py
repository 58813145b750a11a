"""What a folder says of itself, and the verdict on a simulation of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from dse.export.new_folder import TargetFolderError, new_folder
from dse.export.rtl_design import Design, LayerDesign, RtlFolderError, read_design, write_design
from dse.export.rtl_folder import identifier
from dse.export.rtl_simulate import LayerResult, SimulationResult
from dse.export.rtl_verify import judge, reject_incomplete, totals

DESIGN = Design(
    "snn_study",
    "study 3-1",
    "a network",
    "a machine",
    500.0,
    2,
    (LayerDesign("begin", 4, 12, 100), LayerDesign("out", 10, 0, 30)),
    {"accelerator": 120.5, "pe_array": 64.0},
)
RESULT = SimulationResult(2, 0, (LayerResult(180, 0, 20, 8, 0), LayerResult(40, 10, 10, 20, 0)))


def test_a_design_is_read_back(tmp_path: Path) -> None:
    write_design(DESIGN, tmp_path)
    assert read_design(tmp_path) == DESIGN


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "must be a folder written by dse export --to rtl, not a folder without design.json"),
        ("{", "must be as dse export --to rtl wrote it, not damaged: JSONDecodeError"),
        ("[]", "must be as dse export --to rtl wrote it, not damaged: "),
        ('{"kind": "nir", "format": 1}', "kind and format must be rtl and 2, not nir and 1"),
        ('{"kind": "rtl", "format": 3}', "kind and format must be rtl and 2, not rtl and 3"),
    ],
)
def test_a_foreign_or_damaged_folder_is_told(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "design.json").write_text(text)
    with pytest.raises(RtlFolderError) as caught:
        read_design(tmp_path)
    assert message in str(caught.value)


def test_no_folder_and_a_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RtlFolderError, match=r"not missing$"):
        read_design(tmp_path / "gone")
    with pytest.raises(RtlFolderError, match=r"not a file$"):
        read_design(tmp_path / "file")


def test_all_missing_files_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "core.f").write_text("one.sv\ntwo.sv\n")
    (tmp_path / "two.sv").touch()
    with pytest.raises(RtlFolderError, match=r"but lacks one.sv, memory_model.sv, core_testbench.sv; export it again$"):
        reject_incomplete(tmp_path)


def test_the_verdict_counts_spikes_words_and_cycles() -> None:
    verdict = judge(DESIGN, RESULT, "iverilog")
    assert verdict.sound
    assert [(layer.spikes, layer.words, layer.difference) for layer in verdict.layers] == [(24, 8, 0), (0, 20, 0)]
    whole = totals(verdict.layers)
    assert (whole.name, whole.spikes, whole.measured, whole.predicted) == ("in all", 24, 260, 260)
    assert verdict.to_dict()["layers"][0]["difference"] == 0


@pytest.mark.parametrize(
    "changed",
    [
        replace(RESULT, errors=1),
        replace(RESULT, layers=(LayerResult(181, 0, 20, 8, 0), RESULT.layers[1])),
        replace(RESULT, layers=(LayerResult(180, 0, 19, 8, 0), LayerResult(40, 11, 10, 20, 0))),
        replace(RESULT, layers=(LayerResult(180, 0, 20, 7, 0), RESULT.layers[1])),
    ],
    ids=["a wrong word", "a cycle too many", "equal sums, other layers", "a word too few"],
)
def test_any_difference_spoils_the_verdict(changed: SimulationResult) -> None:
    assert not judge(DESIGN, changed, "iverilog").sound


def test_another_number_of_images_is_an_error() -> None:
    with pytest.raises(RtlFolderError, match=r"must run 2 images through 2 layers, not 1 through 2"):
        judge(DESIGN, replace(RESULT, images=1), "iverilog")


@pytest.mark.parametrize(
    ("title", "name"),
    [("mnist 3-1", "snn_mnist_3_1"), ("module", "snn_module"), ("ähm, Größe/2 x", "snn_hm_gr_e_2_x"), ("日本", "snn_")],
)
def test_names_of_cores_are_plain(title: str, name: str) -> None:
    assert identifier(title) == name


def test_a_new_folder_appears_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    with new_folder(tmp_path / "deep er" / "ü") as folder:
        (folder / "file").write_text("whole")
        assert not (tmp_path / "deep er" / "ü").exists()
    assert (tmp_path / "deep er" / "ü" / "file").read_text() == "whole"
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "never") as folder:
        (folder / "file").write_text(str(1 // 0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep er"]


def test_an_occupied_place_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    for place, what in ((tmp_path, "a folder with files in it"), (tmp_path / "mine", "a file")):
        with pytest.raises(TargetFolderError, match=f"must be new or empty, not {what}"), new_folder(place):
            pass
    with pytest.raises(TargetFolderError, match="must be writable"), new_folder(tmp_path / "mine" / "below"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
