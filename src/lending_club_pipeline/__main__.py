"""`python -m lending_club_pipeline` is `lending-club`."""

from lending_club_pipeline.cli import main

if __name__ == "__main__":
    main()
