"""`make fuzz ARGS="mail_report --seconds 600"`: one target or all in turn, by atheris (led by coverage).

What breaks a parser is left in `.state/fuzz/`; give it back with `--again FILE`. Each run is a process of its own:
libFuzzer ends the process that it runs in.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["services", "libs"]):
    from tests.fuzz.targets import TARGETS, Target

LEFT = Path(".state/fuzz")
SLOWEST_SECONDS = 10
MOST_MEGABYTES = 2048
LONGEST_BYTES = 131_072


def fuzz(target: Target, seconds: int) -> None:
    """Feed a target until the time is over or something breaks; ends this process."""
    LEFT.mkdir(parents=True, exist_ok=True)
    corpus = tempfile.mkdtemp(prefix=f"fuzz-{target.name}-")
    for number, seed in enumerate(target.seeds):
        (Path(corpus) / str(number)).write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-artifact_prefix={LEFT}/{target.name}-",
        f"-timeout={SLOWEST_SECONDS}",
        f"-rss_limit_mb={MOST_MEGABYTES}",
        f"-max_len={LONGEST_BYTES}",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, corpus], target.run)
    atheris.Fuzz()


def main() -> int:
    """The exit status: 1 where something broke."""
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=…", description=__doc__)
    parser.add_argument("target", nargs="?", choices=sorted(TARGETS), help="every one unless given")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--again", type=Path, help="feed one file to the target, and nothing else")
    chosen = parser.parse_args()
    if chosen.target is None:
        command = [sys.executable, "-m", "tests.fuzz", "--seconds", str(chosen.seconds)]
        broken = [name for name in sorted(TARGETS) if subprocess.run([*command, name], check=False).returncode]
        print(f"broken: {', '.join(broken) or 'none'}")
        return 1 if broken else 0
    target = TARGETS[chosen.target]
    if chosen.again is not None:
        target.run(chosen.again.read_bytes())
        return 0
    print(f"== {target.name}: {chosen.seconds} s", flush=True)
    fuzz(target, chosen.seconds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
