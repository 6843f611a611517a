"""The softphone is an extra (its library is GPL): without it the command says how to get it."""

from __future__ import annotations

import typer


def phone_app() -> typer.Typer:
    try:
        from telephony.softphone.console import app
    except ImportError:
        missing = typer.Typer(help="A SIP phone in the terminal (needs the extra `phone`).")

        @missing.callback(invoke_without_command=True)
        def phone() -> None:
            typer.echo("the softphone is not installed: pip install 'centralita[phone]'", err=True)
            raise typer.Exit(1)

        return missing
    return app
