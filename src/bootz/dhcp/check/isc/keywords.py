"""The first words of dhcpd's statements: declarations, and those that tell routers nothing.

Source: dhcpd.conf(5), dhcp-eval(5).
"""

from typing import Final

DECLARATIONS: Final = frozenset(
    {
        *("subnet", "subnet6", "shared-network", "pool", "pool6", "group", "host"),
        *("class", "subclass", "range", "range6", "key", "zone", "failover", "prefix6"),
    }
)

IGNORED: Final = frozenset(
    {
        *("allow-bootp", "client-updates", "declines", "duplicates", "fqdn-reply", "leasequery"),
        *("abandon-lease-time", "adaptive-lease-time-threshold", "address", "always-broadcast"),
        *("always-reply-rfc1048", "authoritative", "auto-partner-down", "bind-local-address6"),
        *("bootp-lease-cutoff", "bootp-lease-length", "break", "check-secs-byte-order"),
        *("commit-leases-timeout", "db-time-format", "ddns-domainname"),
        *("ddns-dual-stack-mixed-mode", "ddns-guard-id-must-match", "ddns-hostname"),
        *("ddns-local-address4", "ddns-local-address6", "ddns-other-guard-is-dynamic"),
        *("ddns-rev-domainname", "ddns-ttl", "ddns-update-style", "ddns-updates", "debug"),
        *("default-lease-time", "define", "delayed-ack", "dhcp-cache-threshold"),
        *("dhcp6-set-tee-times", "dhcpv6-lease-file-name", "dhcpv6-pid-file-name"),
        *("dhcpv6-set-tee-times", "do-forward-updates", "do-reverse-updates", "dont-use-fsync"),
        *("dynamic-bootp-lease-cutoff", "dynamic-bootp-lease-length", "echo-client-id", "eval"),
        *("execute", "fixed-address", "fixed-address6", "fixed-prefix6", "get-lease-hostnames"),
        *("hardware", "hba", "hop-count", "ignore-client-uids", "infinite-is-reserved"),
        *("interface", "lease-file-name", "lease-id-format", "limit-addrs-per-ia"),
        *("limit-prefs-per-ia", "limited-broadcast-address", "load", "local-address"),
        *("local-address6", "local-port", "log", "log-facility", "log-threshold-high"),
        *("log-threshold-low", "max-ack-delay", "max-lease-time", "mclt", "min-lease-time"),
        *("not", "omapi-key", "omapi-port", "on", "one-lease-per-client", "peer"),
        *("persist-eui-64-leases", "pid-file-name", "ping-check", "ping-cltt-secs"),
        *("ping-timeout", "ping-timeout-ms", "port", "preferred-lifetime", "prefix-length-mode"),
        *("primary", "release-on-roam", "remote-port", "return", "secondary", "server-duid"),
        *("server-id-check", "server-identifier", "set", "split", "stash-agent-options", "state"),
        *("uid", "unset", "update-conflict-detection", "update-optimization"),
        *("update-static-leases", "use-eui-64", "use-host-decl-names"),
        *("use-lease-addr-for-default-route",),
    }
)
"""Parameters and statements that change nothing of what a router is told of its servers."""

OPEN: Final = frozenset(
    {
        *("allow-booting", "case", "dynamic-bootp", "function", "include", "lease", "let"),
        *("ldap-base-dn", "ldap-method", "ldap-port", "ldap-server", "ldap-username"),
        *("parse-vendor-option", "script", "site-option-space", "user-class", "vendor-class"),
        *("vendor-option-space",),
    }
)
"""Statements that dhcpd takes and that are not evaluated here."""
