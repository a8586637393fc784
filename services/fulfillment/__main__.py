"""`python -m services.fulfillment`."""

from libs.common.service import main
from services.fulfillment.app import SERVICE

if __name__ == "__main__":
    main(SERVICE)
