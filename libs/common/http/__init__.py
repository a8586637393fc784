"""HTTP for services: describe routes (`routes`), build and run the application (`server`, `health`)."""
