#!/bin/sh
# Reads lines (the access log of deploy/gateway/nginx.conf, audit lines of lending-club) and keeps them
# in a sealed journal: a later change of earlier lines is detected.
#
#   tail -F access.log | seal.sh /audit/audit.journal
#
# Once, on this machine, before the first line:
#   journalctl --setup-keys --interval=15min > verification-key
# Keep that key elsewhere: `lending-club audit verify` needs it, and this machine must not have it.
# Needs Debian's package systemd-journal-remote; systemd itself need not run.
set -eu
journal=${1:?"usage: seal.sh FILE.journal < lines"}
boot_id=$(tr -d - < /proc/sys/kernel/random/boot_id)

while IFS= read -r line; do
    printf '__REALTIME_TIMESTAMP=%s\n__MONOTONIC_TIMESTAMP=%s\n_BOOT_ID=%s\n' \
        "$(date +%s%6N)" "$(cut -d' ' -f1 /proc/uptime | tr -d .)0000" "$boot_id"
    printf 'SYSLOG_IDENTIFIER=lending-club\nPRIORITY=6\nMESSAGE=%s\n\n' "$line"
done | /usr/lib/systemd/systemd-journal-remote --seal=yes --output="$journal" -
