#!/bin/sh /etc/rc.common
# For an OpenWrt router (fw4, with the package ip-full); tried in a lab, not on a router.  phonehome does not run on the
# router: this sends the devices' traffic to the machine in the house that runs it, as long as that one leads it.
# Copy it to the router as /etc/init.d/phonehome, then
#   chmod +x /etc/init.d/phonehome && /etc/init.d/phonehome enable && /etc/init.d/phonehome start
# Take it back: /etc/init.d/phonehome stop; /etc/init.d/phonehome disable; rm /etc/init.d/phonehome
#
# On the machine that runs phonehome, for which all of this comes from the router:
#   sudo phonehome gateway up --interface {{ plan.lan.interface }} --port {{ plan.port }} --device ADDRESS-OF-THE-ROUTER
#   sudo phonehome watch --gateway
HOST="${PHONEHOME_HOST:-{{ plan.lan.addresses4 | first | default('192.168.1.2') }}}"   # address of that machine
HOST6="${PHONEHOME_HOST6-{{ plan.lan.link_local if plan.lan.networks6 else '' }}}"   # and by IPv6; empty: what the devices send by that goes its usual way and is not seen
PORT="{{ plan.port }}"                     # it answers there while it leads
LAN="${PHONEHOME_LAN:-br-lan}"       # the router's interface to the household
INCLUDE="${PHONEHOME_INCLUDE:-/usr/share/nftables.d/ruleset-post/phonehome.nft}"   # fw4 loads it with its own rules
USE_PROCD=1
START=95

start_service() {
    [ -n "$HOST6" ] && SIX= || SIX="meta nfproto ipv6 return"
    cat > "$INCLUDE" <<RULES
table inet {{ table }}
delete table inet {{ table }}
table inet {{ table }} {
  set {{ set }} { type ether_addr; flags timeout; }
  chain to_host {
    type filter hook prerouting priority raw; policy accept;
    iifname != "$LAN" return
    ether saddr != @{{ set }} return
    fib daddr type != unicast return
    # What stays in the house, also where its addresses are public ones.
    fib daddr oifname "$LAN" return
    ip daddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16 } return
    ip6 daddr { fc00::/7, fe80::/10 } return
    $SIX
    meta l4proto tcp counter meta mark set meta mark | {{ mark }} notrack
    udp dport { 53, 443, 853 } counter meta mark set meta mark | {{ mark }} notrack
  }
  chain no_shortcut {
    # The devices would learn to ask that machine themselves, and go on when it is gone.
    type filter hook output priority filter; policy accept;
    oifname "$LAN" icmp type redirect drop
    oifname "$LAN" icmpv6 type nd-redirect drop
  }
}
RULES
    nft -f "$INCLUDE"
    ip -4 rule add pref {{ routes }} fwmark {{ mark }}/{{ mark }} lookup {{ routes }}
    ip -4 route replace default via "$HOST" dev "$LAN" table {{ routes }}
    if [ -n "$HOST6" ]; then
        ip -6 rule add pref {{ routes }} fwmark {{ mark }}/{{ mark }} lookup {{ routes }}
        ip -6 route replace default via "$HOST6" dev "$LAN" table {{ routes }}
    fi
    procd_open_instance
    procd_set_param command /bin/sh -c "while sleep 2; do wget -q -T 2 -O /dev/null http://$HOST:$PORT/ && printf '%s\n' \
'flush set inet {{ table }} {{ set }}' \
'add element inet {{ table }} {{ set }} { {% for device in plan.devices %}{{ device }} timeout {{ lasts }}s{{ ', ' if not loop.last }}{% endfor %} }' | nft -f -; done"
    procd_set_param respawn
    procd_close_instance
}

stop_service() {
    rm -f "$INCLUDE"
    nft delete table inet {{ table }} 2>/dev/null
    for family in -4 -6; do
        ip $family rule del pref {{ routes }} 2>/dev/null
        ip $family route flush table {{ routes }} 2>/dev/null
    done
}
