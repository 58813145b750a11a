"""What a report says of a whole study: sentences, the figures at the top, settings, limits, next commands."""

import shlex
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from costmodels.published import figures
from dse.console import counted, duration
from dse.reporting.report_data import Fidelity, Tile, percent
from dse.results.manifest import Manifest, Session
from dse.words import amount
from searchspaces.space import SearchSpace

if TYPE_CHECKING:
    from dse.reporting.from_study import Study

Lines = tuple[tuple[str, str], ...]

LAST_PART = 4
"""The growth of the front is told of the last one in so many trainings."""


def subtitle(manifest: Manifest) -> str:
    """Data set, kind of search, and when."""
    made = datetime.fromisoformat(manifest.created)
    return f"{manifest.data['title']} · {manifest.settings['mode']} search · {made.day} {made:%B %Y}, {made:%H:%M} UTC"


def summary(study: "Study") -> tuple[str, ...]:
    """What was searched, how much of it was seen, and what was found."""
    texts = (_searched(study), _spent(study), _found(study), growth(study), _refined(study), folding(study))
    return tuple(text for text in texts if text)


def _searched(study: "Study") -> str:
    manifest = study.folder.manifest
    space = SearchSpace.from_dict(manifest.space)
    wanted = ", ".join(f"{o.label.lower()} ({o.direction}d)" for o in study.folder.objectives)
    bounds = f" under {', '.join(map(str, study.folder.constraints))}" if study.folder.constraints else ""
    seen = len(study.networks) / space.network.combinations()
    return (
        f"Space {space.name} holds {space.network.combinations():,} networks and {manifest.machines:,} machines. "
        f"{counted(len(study.networks), 'network')} ({100 * seen:.2g} % of them) were trained and each was priced on "
        f"every machine. Asked for: {wanted}{bounds}."
    )


def _spent(study: "Study") -> str:
    settings, cached = study.folder.manifest.settings, sum(record.cached for record in study.networks.values())
    failed = sum(failure.reason != "infeasible" for failure in study.failures)
    forbidden = len(study.failures) - failed
    words = [f"{counted(len(study.networks) - cached, 'training')} gave a score"]
    words += [f"{cached} known from the cache"] * bool(cached) + [f"{failed} failed"]
    words += [f"{forbidden} ruled out by a constraint before the training"] * bool(forbidden)
    time = duration(study.folder.manifest.seconds)
    return f"Of a budget of {counted(settings['trials'], 'network')}, {', '.join(words)}, in {time} of search."


def _found(study: "Study") -> str:
    if not study.front:
        return "No point is on the front: no trained network runs on any machine within the constraints."
    networks = len({point.network for point in study.front})
    tied = f" Tied with one that costs no more: {counted(len(study.tied), 'point')}." * bool(study.tied)
    return f"The front holds {counted(len(study.front), 'point')} of {counted(networks, 'network')}.{tied}"


def growth(study: "Study") -> str:
    """How much the last quarter of the trainings added to the hypervolume, and whether that ended the search."""
    volumes = [record.hypervolume for record in study.networks.values()]
    last = len(volumes) // LAST_PART
    if not last or volumes[-1 - last] <= 0:
        return ""
    gain = 100 * (volumes[-1] / volumes[-1 - last] - 1)
    sessions = study.folder.manifest.sessions
    converged = bool(sessions) and sessions[-1].stop_reason == "converged"
    end = "; the search stopped because its model expected next to nothing of further networks" * converged
    return f"The last {counted(last, 'network')} added {gain:.2g} % to the hypervolume{end}."


def _refined(study: "Study") -> str:
    if not study.refined:
        return ""
    text = f"{counted(len(study.refined), 'network')} of the front trained longer."
    if not study.tests:
        return text
    best = max(study.tests, key=lambda number: study.refined[number].score.deployed_correct)
    reached = percent(study.accuracies(best)["test"].deployed)
    return f"{text} The most accurate of them on validation samples reaches {reached} deployed on the test set."


def folding(study: "Study") -> str:
    """How far deployed accuracies lie from those of the float networks, on the best samples that were classified."""
    kinds: tuple[tuple[Fidelity, Iterable[int], str], ...] = (
        ("test", study.tests, "test samples"),
        ("refined", study.refined, "validation samples, refined"),
        ("short", study.networks, "validation samples, short runs"),
    )
    for kind, numbers, words in kinds:
        pairs = [study.accuracies(number)[kind] for number in numbers]
        gaps = [100 * (p.deployed.value - p.float_network.value) for p in pairs if p.deployed and p.float_network]
        if gaps:
            span = f"{min(gaps):+.2f} and {max(gaps):+.2f} points of the float network's accuracy ({words})"
            return f"Folded to integers, {counted(len(gaps), 'network')} came between {span}."
    return ""


def tiles(study: "Study") -> tuple[Tile, ...]:
    """The figures at the top."""
    failed = sum(failure.reason != "infeasible" for failure in study.failures)
    cached = sum(record.cached for record in study.networks.values())
    counts = (
        Tile(f"{len(study.networks):,}", "networks scored"),
        Tile(f"{failed:,}", "trainings failed"),
        Tile(f"{cached:,}", "scores from the cache"),
        Tile(duration(study.folder.manifest.seconds), "of search"),
        Tile(f"{len(study.front):,}", "points on the front"),
    )
    return (*counts, *_bests(study)) if study.front else counts


def _bests(study: "Study") -> list[Tile]:
    found = []
    for objective in study.folder.objectives:
        values = [point.metrics[objective.column] for point in study.front]
        if objective.column == "accuracy":
            found.append(Tile(f"{100 * max(values):.1f} %", "best deployed accuracy, short runs"))
        else:
            found.append(Tile(f"{amount(min(values))} {objective.unit}".strip(), f"least {objective.label.lower()}"))
    return found


def settings_shown(manifest: Manifest) -> tuple[tuple[str, Lines], ...]:
    """Everything that decided the outcome, in groups."""
    sessions = tuple((session.started, _session_words(session)) for session in manifest.sessions)
    constants = {name: value for name, value in manifest.technology.items() if not isinstance(value, dict | list)}
    return (
        ("Search", _lines({name: value for name, value in manifest.settings.items() if value not in (None, [], ())})),
        ("Technology", _lines(constants)),
        ("Sessions", sessions),
        ("Digests", _lines(manifest.digests)),
        ("Versions", _lines(manifest.versions)),
        ("Host", _lines(manifest.host)),
    )


def _session_words(session: Session) -> str:
    hands = f"{counted(session.workers, 'worker')} of {counted(session.threads, 'thread')}"
    return f"{duration(session.seconds)} with {hands}, ended by {session.stop_reason or 'a kill, or still running'}"


def _lines(data: dict[str, Any]) -> Lines:
    return tuple((name, ", ".join(map(str, v)) if isinstance(v, list) else str(v)) for name, v in data.items())


def limits(study: "Study") -> tuple[str, ...]:
    """What to keep in mind, measured by what this study did and did not do."""
    recalled = [f"{f.design} {f.quantity}" for f in figures() if f.use == "calibrate" and f.status == "recalled"]
    texts = [
        "Cycles, traffic, energy and area come from an analytical model of one accelerator, not from a simulation or a "
        "chip. `dse calibrate` prints it against published figures.",
        "Each network was trained once, with one seed: the spread between seeds is not in the intervals.",
    ]
    if recalled:
        texts.append(
            f"Calibration leans on {counted(len(recalled), 'figure')} recalled, not read in the source: "
            f"{', '.join(recalled)}. `dse calibrate --without-recalled` shows how much hangs on them."
        )
    if not study.refined:
        texts.append("No network was refined: all accuracies are of short runs on validation samples.")
    if "JPEG" in str(study.folder.manifest.data.get("title", "")):
        texts.append(
            "The images are a JPEG re-encoding of the data set: accuracies differ a little from published ones."
        )
    return tuple(texts)


def commands(study: "Study") -> Lines:
    """What to run next, and why."""
    path = shlex.quote(str(study.folder.path))
    shown = [(f"dse show {path} {study.front[0].id}", "one point of the front, layer by layer")] if study.front else []
    return (
        *shown,
        (f"dse front {path}", "the front as a table; --json for scripts"),
        (f"dse recost {path} --dram 4.6", "price every trained network again under another DRAM, without training"),
        (
            f"dse search --resume {path} --trials {study.folder.manifest.settings['trials'] * 2}",
            "go on with this search",
        ),
    )
