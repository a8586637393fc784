"""`python -m services.certs`."""

from libs.common.service import main
from services.certs.app import SERVICE

main(SERVICE)
