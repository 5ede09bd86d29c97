"""The web explorer: a FastAPI application over one run, and the page in web/."""
