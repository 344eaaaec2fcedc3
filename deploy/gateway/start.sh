#!/bin/sh
# Starts nginx where its upstreams are containers. It looks up their addresses when it reads its
# configuration, and a container that is made or started again may get another one: then nginx reads it
# again. In a cluster, services keep their addresses.
set -eu
conf=/etc/nginx/lending-club.conf
upstreams=$(sed -n 's/^ *server \([a-z][a-z0-9-]*\):[0-9]*;.*/\1/p' "$conf")

# It fails while one of them has no address.
addresses() {
    # shellcheck disable=SC2086
    getent hosts $upstreams
}

follow() {
    while sleep 5; do
        found=$(addresses) || continue
        if [ "$found" != "$known" ] && nginx -e stderr -c "$conf" -s reload; then
            known=$found
        fi
    done
}

known=$(addresses)
follow &
exec nginx -e stderr -g "daemon off;" -c "$conf"
