"""`python -m services.exams`."""

from libs.common.service import main
from services.exams.app import SERVICE

if __name__ == "__main__":
    main(SERVICE)
