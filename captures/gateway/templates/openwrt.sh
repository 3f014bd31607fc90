#!/bin/sh
# For an OpenWrt router (fw4).  phonehome does not run on the router: this sends the devices' traffic to the machine in the
# house that runs it, as long as that machine answers.  Copy it to the router as /etc/init.d/phonehome, then
#   chmod +x /etc/init.d/phonehome && /etc/init.d/phonehome enable && /etc/init.d/phonehome start
# Take it back: /etc/init.d/phonehome stop; /etc/init.d/phonehome disable; rm /etc/init.d/phonehome
#
# On the machine that runs phonehome: `phonehome gateway up` with its own interface, then `phonehome watch --gateway`.
HOST="${PHONEHOME_HOST:-192.168.1.2}"   # address of that machine
PORT="{{ plan.port }}"                  # any TCP port of it that answers while phonehome runs
USE_PROCD=1
START=95

start_service() {
    nft -f - <<'RULES'
table inet {{ table }} {
  set {{ set }} { type ether_addr; flags timeout; }
  chain to_host {
    type filter hook prerouting priority mangle; policy accept;
    iifname != "{{ plan.lan.interface }}" return
    ether saddr != @{{ set }} return
    fib daddr type != unicast return
    ip daddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16 } return
    meta nfproto ipv6 return
    meta l4proto tcp counter meta mark set meta mark | {{ mark }}
    udp dport { 53, 443, 853 } counter meta mark set meta mark | {{ mark }}
  }
}
RULES
    ip -4 rule add pref {{ routes }} fwmark {{ mark }}/{{ mark }} lookup {{ routes }}
    ip -4 route replace default via "$HOST" dev {{ plan.lan.interface }} table {{ routes }}
    procd_open_instance
    procd_set_param command /bin/sh -c "while sleep 2; do nc -w 1 $HOST $PORT </dev/null && printf '%s\n' \
'flush set inet {{ table }} {{ set }}' \
'add element inet {{ table }} {{ set }} { {% for device in plan.devices %}{{ device }} timeout {{ lasts }}s{{ ', ' if not loop.last }}{% endfor %} }' | nft -f -; done"
    procd_set_param respawn
    procd_close_instance
}

stop_service() {
    nft delete table inet {{ table }} 2>/dev/null
    ip -4 rule del pref {{ routes }} 2>/dev/null
    ip -4 route flush table {{ routes }} 2>/dev/null
}
