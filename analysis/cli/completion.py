"""`phonehome completion`: the script that lets a shell complete our commands."""

from __future__ import annotations

import click

INSTALL = {
    "bash": "# Add to ~/.bashrc:  source <(phonehome completion bash)",
    "zsh": "# Add to ~/.zshrc:  source <(phonehome completion zsh)",
    "fish": "# Write to ~/.config/fish/completions/phonehome.fish",
}
"""How to install the script, as its first line."""


@click.command()
@click.argument("shell", type=click.Choice(tuple(INSTALL)))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    Its first line says how to install it.

    \b
    Example:
      source <(phonehome completion bash)
    """
    from click.shell_completion import get_completion_class

    from analysis.cli import commands

    complete = get_completion_class(shell)
    if complete is None:
        raise click.UsageError(f"{shell}: click cannot complete for this shell")
    # Printed without click's check of the bash on this machine: the script may be meant for another one.
    script = complete(commands, {}, "phonehome", "_PHONEHOME_COMPLETE")
    click.echo(INSTALL[shell] + "\n" + script.source_template % script.source_vars())
