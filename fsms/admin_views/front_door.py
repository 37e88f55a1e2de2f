"""The pages before the office: signing in and out, and the sign of life for monitors."""

from typing import Any

from flask import Flask, current_app, flash, jsonify, redirect, render_template, request, session, url_for
from flask_babel import gettext
from flask_login import current_user, login_user, logout_user
from flask_wtf import FlaskForm
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from wtforms import PasswordField, StringField

from fsms import schema, sign_in
from fsms.database import db


class SignInForm(FlaskForm):
    """A name and a password."""

    username = StringField()
    password = PasswordField()


def install(app: Flask) -> None:
    """Put the pages into the application, under names without a prefix."""
    app.add_url_rule("/", "start", lambda: redirect(url_for("admin.index")))
    app.add_url_rule("/login", "login", login, methods=["GET", "POST"])
    app.add_url_rule("/logout", "logout", logout, methods=["POST"])
    app.add_url_rule("/healthz", "healthz", healthz)


def login() -> Any:
    """Ask for name and password, and go on to the page that was wanted."""
    target = sign_in.own_page(request.values.get("next")) or url_for("admin.index")
    if current_user.is_authenticated:
        return redirect(target)
    form = SignInForm()
    if form.validate_on_submit():
        cost = current_app.config["SETTINGS"].bcrypt_cost
        user = sign_in.authenticate(db.session(), form.username.data or "", form.password.data or "", cost=cost)
        db.session.commit()
        if user:
            # A new session for a new person: nothing of the one before is carried over.
            session.clear()
            session.permanent = True
            login_user(sign_in.SignedIn.of(user))
            return redirect(target)
        flash(gettext("User name or password is wrong. Check both and try again."), "error")
    return render_template("login.html", form=form, target=target), 200


def logout() -> Any:
    """End the session."""
    logout_user()
    session.clear()
    flash(gettext("You are signed out."), "success")
    return redirect(url_for("login"))


def healthz() -> Any:
    """Say that the server lives; with `?ready`, also that the database answers and fits the program."""
    if "ready" not in request.args:
        return jsonify(status="ok")
    try:
        with db.engine.connect() as connection:
            connection.execute(text("select 1"))
            revision = schema.current(connection)
    except SQLAlchemyError:
        return jsonify(status="the database does not answer"), 503
    if revision != schema.head():
        return jsonify(status="the database is at another revision: run `fsms db upgrade`", revision=revision), 503
    return jsonify(status="ok", revision=revision)
