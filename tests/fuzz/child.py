"""One target under the fuzzer: ``python child.py TOPIC NAME FOLDER [options of libFuzzer]``; started by ``fuzz.py``."""

import importlib
import re
import sys
from pathlib import Path

import atheris

OURS = ["dse", "searchspaces", "costmodels", "tomllib"]


def main(topic: str, name: str, folder: Path, options: list[str]) -> None:
    """Fuzz one target until libFuzzer has had enough."""
    with atheris.instrument_imports(include=OURS):
        targets = importlib.import_module(topic).TARGETS
    import guard
    from target import refused

    target = next(each for each in targets if each.name == name)
    scratch, corpus = folder / "scratch", folder / "corpus"
    scratch.mkdir()
    corpus.mkdir()
    seeds = target.begin(scratch)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
        why = refused(target, seed, scratch)
        assert number or not why, f"the first seed must be read, but {why}"
    dictionary = folder / "words"
    words = {word for seed in seeds for word in re.findall(rb"[A-Za-z_][\w.-]{1,30}", seed)}
    dictionary.write_text("".join(f'"{word.decode()}"\n' for word in sorted(words)))
    sys.dont_write_bytecode = True
    guard.forbid_all_but(scratch)
    guard.bound_memory()

    def one(data: bytes) -> None:
        refused(target, data, scratch)

    places = [f"-artifact_prefix={folder}/found-", *[f"-dict={dictionary}"] * bool(words), str(corpus)]
    atheris.Setup([sys.argv[0], *options, *places], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
