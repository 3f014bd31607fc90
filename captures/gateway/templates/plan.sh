#!/bin/sh
# Sets up by hand what `phonehome gateway up` does, without its journal: note the former settings yourself.
set -eu
{% for name, value in plan.sysctls %}
sysctl -w {{ name | replace('/', '.') }}={{ value }}
{% endfor %}
nft -f - <<'RULES'
{{ plan.ruleset -}}
RULES
{% for rule in plan.rules %}
ip {{ rule[0] }} rule add {{ rule[1:] | join(' ') }}
{% endfor %}
# The devices are led for {{ lasts }} seconds each time that this runs:
# nft -f - <<'RENEW'
{% for line in renewal.splitlines() %}
# {{ line }}
{% endfor %}
# RENEW
# To take it back:
# nft delete table inet {{ table }}
{% for rule in plan.rules %}
# ip {{ rule[0] }} rule del {{ rule[1:] | join(' ') }}
{% endfor %}
