"""`python -m services.certs`."""

from libs.common.service import main
from services.certs.app import SERVICE

if __name__ == "__main__":  # a process that certs starts for a dry run imports this too
    main(SERVICE)
