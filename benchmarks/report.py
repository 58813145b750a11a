"""What a study of many networks takes to open and to report, and how much memory; no search, made-up costs.

    python benchmarks/report.py --networks 10000

One JSON line: processor seconds to open the study as a resumed search does and to draw its report, the folder's size,
and the peak memory after each. Bars for 10,000: report 15 s, 1 GiB.
"""

import argparse
import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "dashboard")]


def processor_s(work: Callable[[], object]) -> float:
    """Processor seconds of this process."""
    begin = time.process_time()
    work()
    return round(time.process_time() - begin, 2)


def peak_mib() -> int:
    """Most memory this process has held."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Write, open, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=10_000)
    parser.add_argument("--machines", type=int, default=8, help="of each network's own front")
    given = parser.parse_args()

    import numpy as np
    from large_study import manifest, network

    from dse.cli.study import write_report
    from dse.results.folder import StudyFolder
    from dse.study.ledger import Ledger
    from dse.study.pricing import Pricer, technology_of
    from searchspaces.candidate import assumed_masks
    from searchspaces.space import load_space

    results, space, draw = Path(tempfile.mkdtemp(prefix="report-")), load_space("digits"), np.random.default_rng(0)
    try:
        folder = StudyFolder(results)
        folder.write_manifest(manifest("large", space))
        for number in range(given.networks):
            record = network(space, number, given.machines, draw, 0.0)
            masks = assumed_masks(record.genome)
            folder.add_network(replace(record, score=replace(record.score, masks=masks)))
        technology = technology_of(space.technology, None, None)
        pricer = Pricer(space.accelerator.enumerate(), technology, folder.objectives, ())
        found: dict[str, float] = {"networks": given.networks, "machines": given.machines}
        found["folder_mib"] = round(sum(f.stat().st_size for f in folder.path.rglob("*") if f.is_file()) / 2**20)
        opened = processor_s(lambda: Ledger.opened(folder, pricer))
        after_open = peak_mib()
        report = processor_s(lambda: write_report(folder))
        print(
            json.dumps(
                {**found, "open_s": opened, "open_mib": after_open, "report_s": report, "report_mib": peak_mib()}
            )
        )
    finally:
        shutil.rmtree(results)


if __name__ == "__main__":
    main()
