"""The only home of Alembic and SQLAlchemy: models to steps, steps to revisions, revisions to files and back."""
