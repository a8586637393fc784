"""`python -m services.notify`."""

from libs.common.service import main
from services.notify.app import SERVICE

if __name__ == "__main__":
    main(SERVICE)
