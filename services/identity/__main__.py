"""`python -m services.identity`."""

from libs.common.service import main
from services.identity.app import SERVICE

main(SERVICE)
