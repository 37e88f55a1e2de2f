"""What the templates of a request were told, let go when it is over.

The context of a template and its macros hold each other, and with them every record that the page was made of. Left to
the collector of garbage, they cost a tenth of a list, and now and then a pause of fifty milliseconds.
"""

from typing import Any

from flask import Flask, g, has_app_context
from jinja2.runtime import Context

_OPEN = "template_contexts"


class LetGo(Context):
    """A context that is known to its request."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what Jinja gives a context."""
        super().__init__(*arguments, **options)
        # What is imported without a context knows the globals only, and serves every request.
        if len(self.parent) > len(self.environment.globals) and has_app_context():
            g.setdefault(_OPEN, []).append(self)


def install(app: Flask) -> None:
    """Let the contexts of `app` go with their request."""
    app.jinja_env.context_class = LetGo
    app.teardown_request(_let_go)


def _let_go(_error: BaseException | None) -> None:
    for context in g.pop(_OPEN, ()):
        context.parent = {}
        context.vars.clear()
        context.exported_vars.clear()
        context.blocks.clear()
