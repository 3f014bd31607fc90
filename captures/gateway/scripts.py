"""Plan -> texts: for people, for a shell, for a router's own configuration, for systemd and Docker."""

from __future__ import annotations

from captures.gateway.plan import LASTS, MARK, ROUTES, SET, TABLE, TUN, Plan, renewal

NAMES = {
    "text": "plan.txt",
    "shell": "plan.sh",
    "openwrt": "openwrt.sh",
    "opnsense": "opnsense.txt",
    "systemd": "systemd.txt",
    "docker": "compose.yaml",
}
"""Kind of text -> its template."""


def render(kind: str, plan: Plan) -> str:
    """Kind of text (a key of `NAMES`) and a plan -> the text."""
    # 30 ms, and only this command needs it.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("captures.gateway"),
        autoescape=False,  # noqa: S701 - no markup; interface and MACs have been checked, the rest is our own
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(NAMES[kind]).render(
        plan=plan,
        lasts=LASTS[plan.way],
        mark=MARK,
        routes=ROUTES,
        set=SET,
        table=TABLE,
        tun=TUN,
        renewal=renewal(plan.devices, plan.way),
    )
