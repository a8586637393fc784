"""The command line of the generator."""

import argparse
from pathlib import Path

from deploy.gateway.reference import write_site


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.gateway.reference", description="Write the gateway's pages."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the pages; what it holds is replaced")
    parser.add_argument("--inbox", help="address of the inbox of sent mail, where there is one to link to")
    arguments = parser.parse_args()
    print(f"{write_site(arguments.out, inbox=arguments.inbox)} files in {arguments.out}")


if __name__ == "__main__":
    main()
