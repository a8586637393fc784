"""Writes the files that follow from the definitions beside them: `python -m deploy.monitoring`, or `--check`."""

import argparse

from deploy.monitoring import targets
from deploy.monitoring.dashboards import DASHBOARDS
from deploy.monitoring.panels import FOLDER, written


def main() -> None:
    parser = argparse.ArgumentParser(prog="deploy.monitoring")
    parser.add_argument("--check", action="store_true", help="write nothing; say which files are not as they should be")
    check: bool = parser.parse_args().check
    files = {dashboard.file: written(dashboard) for dashboard in DASHBOARDS} | {targets.FILE: targets.scraped()}
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    stale += [path for path in FOLDER.glob("*.json") if path not in files]
    if check and stale:
        raise SystemExit("not as defined: " + ", ".join(str(path) for path in stale))
    for path in () if check else stale:
        if path in files:
            path.write_text(files[path], encoding="utf-8")
        else:
            path.unlink()


main()
