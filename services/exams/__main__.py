"""`python -m services.exams`."""

from libs.common.service import main
from services.exams.app import SERVICE

main(SERVICE)
