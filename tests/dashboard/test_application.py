"""The server: which studies it shows, what it refuses, and that it never writes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dse.dashboard.app import make_app
from dse.dashboard.guard import host_name, is_loopback
from dse.dashboard.library import Library, Remembered, library, signature
from dse.dashboard.payload import answer, shown
from dse.errors import StudyError
from dse.results import StudyFolder
from dse.results.lines import append_line

ROOT = Path(__file__).parents[2]


def client(shown: Library, host: str = "127.0.0.1") -> Any:
    return make_app(shown, host).server.test_client()


def changed(asked: Any, outputs: str, inputs: list[Any], state: list[Any]) -> Any:
    """What a callback answers."""
    many = [{"id": part.rpartition(".")[0], "property": part.rpartition(".")[2]} for part in outputs[2:-2].split("...")]
    body = {"output": outputs, "outputs": many, "inputs": inputs, "state": state, "changedPropIds": []}
    answer = asked.post("/_dash-update-component", json=body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()["response"]


def routed(asked: Any, address: str) -> str:
    path, _, search = address.partition("?")
    inputs = [
        {"id": "url", "property": "pathname", "value": path},
        {"id": "url", "property": "search", "value": f"?{search}"},
    ]
    found = changed(asked, "..page.children...explore.hidden...shown.title..", inputs, [])
    return json.dumps(found, ensure_ascii=False)


def polled(asked: Any, names: list[str]) -> Any:
    outputs = "..token.data...notices.children...live.children...live.className...studies.options.."
    inputs = [
        {"id": "tick", "property": "n_intervals", "value": 1},
        {"id": "studies", "property": "value", "value": names},
    ]
    state = [{"id": "token", "property": "data", "value": None}, {"id": "studies", "property": "options", "value": []}]
    return changed(asked, outputs, inputs, state)


def test_columns_come_for_studies_on_show_and_for_no_others(searched: StudyFolder, made_up: StudyFolder) -> None:
    asked = client(library([searched.path], Path("nowhere")))
    whole = asked.get("/columns", query_string={"study": searched.name}).get_json()["studies"]
    assert [each["study"] for each in whole] == [searched.name]
    for name in (made_up.name, "../" + searched.name, str(searched.path), f"{searched.name}/../{searched.name}", ""):
        refused = asked.get("/columns", query_string={"study": name})
        assert refused.status_code == 404, name
        assert refused.get_json()["error"].startswith("study must be one of ")


def test_a_results_folder_shows_all_of_its_studies_and_only_those(made_up: StudyFolder, tmp_path: Path) -> None:
    assert list(library([], made_up.path.parent).paths) == ["made-up"]
    assert library([], tmp_path / "missing").paths == {}
    with pytest.raises(StudyError, match=r"^study must be one of none, not 'a'"):
        library([], tmp_path).folder("a")


def test_two_studies_of_one_name_and_missing_ones_are_refused(made_up: StudyFolder, tmp_path: Path) -> None:
    twin = tmp_path / made_up.name
    twin.mkdir()
    with pytest.raises(StudyError, match=r"^studies must have different names"):
        library([made_up.path, twin], tmp_path)
    with pytest.raises(StudyError, match=r"must be the folder of a study, not missing$"):
        library([tmp_path / "gone"], tmp_path)


def test_what_was_made_is_made_again_only_after_a_change(made_up: StudyFolder, tmp_path: Path) -> None:
    import shutil

    copy = StudyFolder(tmp_path / "copy")
    shutil.copytree(made_up.path, copy.path)
    made: list[str] = []

    def make(folder: StudyFolder) -> int:
        made.append(folder.name)
        return len(folder.networks())

    memory, before = Remembered(), signature(copy.path)
    assert [memory.get(copy, make), memory.get(copy, make)] == [20, 20]
    record = made_up.networks()[0]
    append_line(copy.path / "points.jsonl", {"number": 20, "own_front": record.own_front.to_dict()})
    append_line(copy.path / "networks.jsonl", {**record.to_dict(), "number": 20})
    assert signature(copy.path) != before
    assert memory.get(copy, make) == 21
    assert made == ["copy", "copy"]


def test_candidate_and_comparison_pages_are_found_by_their_address(searched: StudyFolder) -> None:
    asked = client(library([searched.path], Path()))
    one, other = (point.id for point in searched.front()[:2])
    page = routed(asked, f"/candidate?study={searched.name}&id={one}")
    for words in (f"Candidate {one} of {searched.name}", "Roofline", "What fills the buffers", "dse show "):
        assert words in page, words
    pairs = f"study={searched.name}&id={one}&study={searched.name}&id={other}"
    assert "Comparison" in routed(asked, f"/compare?{pairs}")
    assert "a comparison must be of 2 to 4 candidates, not 1" in routed(asked, f"/compare?study=a&id={one}")
    assert "study must be one of" in routed(asked, "/candidate?study=../x&id=1-1")
    assert "the address must name a study" in routed(asked, "/candidate")
    assert json.loads(routed(asked, "/"))["explore"]["hidden"] is False


def test_sliders_answer_with_costs(searched: StudyFolder) -> None:
    asked = client(library([searched.path], Path()))
    point = searched.front()[0]
    axes = ("vector_width", "channel_lanes", "fusion_depth", "spike_buffer_kib", "weight_buffer_kib")
    ids = [{"part": "what-if", "axis": axis} for axis in axes]
    body = {
        "output": "what-if-answer.children",
        "outputs": {"id": "what-if-answer", "property": "children"},
        "inputs": [[{"id": each, "property": "value", "value": 99} for each in ids]],
        "state": [
            [{"id": each, "property": "id", "value": each} for each in ids],
            {
                "id": "what-if-of",
                "property": "data",
                "value": {"study": searched.name, "id": point.id, "fidelity": "short"},
            },
        ],
        "changedPropIds": [],
    }
    answer = asked.post("/_dash-update-component", json=body)
    assert answer.status_code == 200
    assert "answered by the cost model in" in answer.text


def damaged(folder: Path, how: str, made_up: StudyFolder) -> Path:
    import shutil

    shutil.copytree(made_up.path, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    if how == "older":
        del manifest["machines"]
    elif how == "newer":
        manifest["format"] = 99
    elif how == "sessions":
        manifest["sessions"] = [{"started": "x"}]
    elif how == "line":
        (folder / "networks.jsonl").write_text("{broken\n")
    elif how == "failures":
        (folder / "failures.jsonl").write_text('{"trial": 1}\n')
    elif how == "foreign line":
        (folder / "networks.jsonl").write_text('{"number": 0}\n')
    (folder / "manifest.json").write_text("[" if how == "json" else json.dumps(manifest))
    return folder


@pytest.mark.parametrize("how", ["older", "newer", "sessions", "line", "failures", "foreign line", "json"])
def test_a_study_that_cannot_be_read_gets_a_page_that_says_why(how: str, made_up: StudyFolder, tmp_path: Path) -> None:
    asked = client(library([damaged(tmp_path / "spoilt", how, made_up), made_up.path], Path()))
    answer = polled(asked, ["spoilt", "made-up"])
    notices = json.dumps(answer["notices"], ensure_ascii=False)
    assert "spoilt cannot be shown" in notices
    assert " must " in notices
    assert answer["token"]["data"]["studies"] == ["made-up"]


def test_an_empty_results_folder_says_how_to_start(tmp_path: Path) -> None:
    answer = polled(client(library([], tmp_path)), [])
    assert "holds no study. Start one: dse search" in json.dumps(answer["notices"])


def test_a_running_search_is_called_so(made_up: StudyFolder, tmp_path: Path) -> None:
    from dataclasses import replace

    from large_study import write_study

    running = write_study(tmp_path, "running", 2, 1)
    session = replace(running.manifest.sessions[0], finished="", stop_reason="")
    running.write_manifest(replace(running.manifest, sessions=(session,)))
    assert "searching" in polled(client(library([running.path], Path())), ["running"])["live"]["children"]
    ended = polled(client(library([made_up.path], Path())), ["made-up"])["live"]["children"]
    assert ended == "made-up: all trials spent after 30 min 00 s"


def test_foreign_host_names_and_cross_site_posts_are_refused(made_up: StudyFolder) -> None:
    asked = client(library([made_up.path], Path()))
    assert asked.get("/", headers={"Host": "localhost:8050"}).status_code == 200
    assert asked.get("/", headers={"Host": "evil.example:8050"}).status_code == 403
    assert asked.post("/_dash-update-component", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client(library([made_up.path], Path()), "0.0.0.0").get("/", headers={"Host": "lab:80"}).status_code == 200


def test_every_answer_forbids_to_load_from_elsewhere(made_up: StudyFolder) -> None:
    asked = client(library([made_up.path], Path()))
    for address in ("/", "/columns?study=made-up", "/nothing"):
        headers = asked.get(address).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
    page = asked.get("/").text
    sources = re.findall(r"""(?:src|href)=["']?([^"' >]+)""", page)
    assert len(sources) > 5
    assert not [source for source in sources if "//" in source]


def test_loopback_is_told_from_the_rest() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.7", "example.org")))
    assert [host_name(h) for h in ("a:80", "a", "[::1]:80", "[::1]")] == ["a", "a", "[::1]", "[::1]"]


def test_looking_changes_no_file(searched: StudyFolder) -> None:
    def state() -> dict[str, tuple[int, int]]:
        return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in sorted(searched.path.rglob("*"))}

    before = state()
    asked = client(library([searched.path], Path()))
    polled(asked, [searched.name])
    asked.get("/columns", query_string={"study": searched.name})
    routed(asked, f"/candidate?study={searched.name}&id={searched.front()[0].id}")
    assert state() == before


def test_the_server_needs_neither_torch_nor_optuna(made_up: StudyFolder) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom dse.dashboard.app import make_app\n"
        "from dse.dashboard.library import library\n"
        f"asked = make_app(library([Path({str(made_up.path)!r})], Path())).server.test_client()\n"
        "assert asked.get('/columns?study=made-up').status_code == 200\n"
        "sys.exit(str([n for n in ('torch', 'optuna') if n in sys.modules] or '') or 0)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr


def test_an_empty_study_and_one_of_one_point_have_columns(tmp_path: Path) -> None:
    from large_study import write_study

    empty = json.loads(shown(write_study(tmp_path, "empty", 0, 0)).columns)
    assert (empty["ids"], empty["trace"]) == ([], [])
    found = shown(write_study(tmp_path, "one", 1, 1))
    one = json.loads(found.columns)
    assert (len(one["ids"]), one["status"]) == (1, [0])
    assert set(map(len, json.loads(found.importances).values())) == {0}
    assert json.loads(answer("v", [])) == {"version": "v", "importances": {}, "studies": []}


def test_importance_over_several_studies_is_that_of_all_their_candidates(tmp_path: Path) -> None:
    """Slow twin: candidates of both studies in one frame, and the definition written out."""
    from large_study import write_study

    from dse.reporting.candidates import candidates

    folders = [write_study(tmp_path / str(seed), f"study-{seed}", 12, 4, seed) for seed in (1, 2)]
    found = json.loads(answer("v", [shown(folder) for folder in folders]))
    tables = [candidates(folder) for folder in folders]
    energy = np.log10(np.concatenate([table.metrics["energy_uj"] for table in tables]))
    for gene in ("timesteps", "conv1.channels"):
        values = [value for table in tables for value in table.genes[gene]]
        frame = pd.DataFrame({"energy": energy, "gene": values})
        means = frame.groupby("gene")["energy"].transform("mean")
        within, total = ((frame["energy"] - means) ** 2).sum(), ((energy - energy.mean()) ** 2).sum()
        expected = max(0.0, 1 - within / (len(frame) - frame["gene"].nunique()) * (len(frame) - 1) / total)
        assert dict(found["importances"]["energy_uj"])[gene] == pytest.approx(expected, abs=1e-12)
    assert [study["study"] for study in found["studies"]] == ["study-1", "study-2"]


def test_the_first_view_can_be_asked_for_without_a_name(searched: StudyFolder, made_up: StudyFolder) -> None:
    asked = client(library([searched.path, made_up.path], Path("nowhere")))
    found = asked.get("/columns").get_json()
    assert [study["study"] for study in found["studies"]] == [searched.name, made_up.name]
    assert found["version"] == polled(asked, [searched.name, made_up.name])["token"]["data"]["version"]
