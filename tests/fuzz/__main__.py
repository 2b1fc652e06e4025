"""A campaign of coverage-guided fuzzing, with atheris: every target in a process of its own, one after the other.

    python -m pip install --group fuzz
    python -m tests.fuzz --seconds 600                  # that long for each target
    python -m tests.fuzz --seconds 60 yaml template     # some of them

What breaks a target is kept in --keep (by default fuzz-findings/). Once it is mended, the file goes to
tests/fuzz/found/TARGET/: the suite tries those again.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

_RSS_MEGABYTES = 1024
_SLOWEST = 30
"""Seconds for one input after which it counts as a hang; the targets' own bounds on CPU are tighter."""
_LONGEST = 20_000
_DONE = re.compile(r"Done (\d+) runs? in (\d+) second")
_COVERED = re.compile(r"cov: (\d+)")


def main() -> int:
    """0 where nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"), metavar="DIR")
    parser.add_argument("--in-this-process", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_this_process:
        _fuzz(options.targets[0], options.seconds, options.keep)
        return 0
    from tests.fuzz.targets import names

    unknown = set(options.targets) - set(names())
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are: {', '.join(names())}")
    options.keep.mkdir(exist_ok=True)
    found = [name for name in options.targets or names() if not _campaign(name, options.seconds, options.keep)]
    print(f"broken: {', '.join(found)}" if found else "nothing broke")
    return 1 if found else 0


def _campaign(name: str, seconds: int, keep: Path) -> bool:
    command = [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(seconds), "--keep", str(keep)]
    done = subprocess.run(
        [*command, "--in-this-process"], capture_output=True, text=True, errors="replace", check=False
    )
    said = done.stdout + done.stderr
    runs, covered = _DONE.findall(said), _COVERED.findall(said)
    sound = done.returncode == 0 and bool(runs)
    count, spent = runs[-1] if runs else ("?", "?")
    state = "sound" if sound else "BROKEN"
    print(f"{name:16} {state:7} {count:>10} inputs in {spent} s, {covered[-1] if covered else '?'} edges", flush=True)
    if not sound:
        (keep / f"{name}.txt").write_text(said[-20_000:])
    return sound


def _fuzz(name: str, seconds: int, keep: Path) -> None:
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # of the group fuzz

    with atheris.instrument_imports(include=["syncengine"]):
        from tests.fuzz import targets

        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as corpus:
            target = targets.target(name, Path(folder))
            for number, seed in enumerate(targets.seeds().get(name, ())):
                (Path(corpus) / f"seed-{number}").write_bytes(seed)
                target(seed)
            atheris.Setup(
                [
                    sys.argv[0],
                    corpus,
                    f"-max_total_time={seconds}",
                    f"-max_len={_LONGEST}",
                    f"-timeout={_SLOWEST}",
                    f"-rss_limit_mb={_RSS_MEGABYTES}",
                    f"-artifact_prefix={keep}/{name}-",
                    "-print_final_stats=1",
                ],
                target,
            )
            atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
