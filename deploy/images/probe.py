"""A container's health check: `probe.py PORT PATH` succeeds where this host answers 200 there.

Run every few seconds in every container, so it loads as little of Python as it can.
"""

import socket
import sys

_SECONDS = 4


def main() -> int:
    port, path = int(sys.argv[1]), sys.argv[2]
    request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as connection:
            connection.sendall(request.encode())
            answer = connection.makefile("rb").read(4096)
    except OSError as error:
        print(f"port {port}: {error}")
        return 1
    print(answer.rpartition(b"\r\n")[2].decode(errors="replace"))
    return 0 if answer.split(b" ", 2)[1:2] == [b"200"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
