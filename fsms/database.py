"""The session of the application: `db`, which speaks for whoever acts. Only here are the models joined to Flask."""

from flask_sqlalchemy import SQLAlchemy

from fsms import activity, policy
from fsms.models import Base
from fsms.operations import locks

db = SQLAlchemy(metadata=Base.metadata, disable_autonaming=True)
policy.install(db.session)
locks.install(db.session)
activity.install(db.session)  # after the policy, which says who acts
