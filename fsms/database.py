"""The session of the application: `db`, and who commits. The only place that joins the models to Flask."""

from flask_sqlalchemy import SQLAlchemy

from fsms.models import Base

db = SQLAlchemy(metadata=Base.metadata, disable_autonaming=True)
