"""`python -m services.identity`."""

from libs.common.service import main
from services.identity.app import SERVICE

if __name__ == "__main__":
    main(SERVICE)
