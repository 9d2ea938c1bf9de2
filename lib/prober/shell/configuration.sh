# What ties a run's evidence to the host's configuration, for both probers; what it prints stands in README.md. Nothing is
# written on the host: what its boot would load is loaded into a network namespace that ends with the command.

# Every rule of the kernel's with the place where it stands, without counters; UNREAD where they cannot be had. A script, since it
# runs in both namespaces. nft shows what iptables has made, too, but for the insides of some matches; hence both.
rules='
command -v nft >/dev/null || command -v iptables-save >/dev/null || echo UNREAD
if command -v nft >/dev/null; then
  { nft list tables || echo "- - UNREAD"; } | sort | while read -r _ family table; do nft --stateless list table "$family" "$table" || echo UNREAD; done |
    awk "{ sub(/^[ \t]+/, \"\") } /^table / { place = \$2 \" \" \$3 } /^(chain|set|map|flowtable|ct|counter|quota|limit) .*[{]\$/ { part = \" \" \$2 } /./ { print place part \": \" \$0 } /^[}]\$/ { part = \"\" }" || echo UNREAD
fi
for save in iptables-save ip6tables-save; do
  if command -v $save >/dev/null; then
    { $save || echo UNREAD; } | sed "/^#/d; /^COMMIT/d; s/ \[[0-9:]*\]\$//" | awk -v save=$save "/^\*/ { table = substr(\$0, 2); next } /./ { print save \" \" table \": \" \$0 }" || echo UNREAD
  fi
done'

configuration() {
  (cd /proc/sys/net && grep . ipv4/ip_forward ipv6/conf/*/forwarding ipv6/conf/*/disable_ipv6 ipv6/conf/*/accept_ra | sed 's/^/sysctl /; s/:/ /')
  if [ "$(id -u)" = 0 ]; then
    running=$(eval "$rules")
    case $running in
      *UNREAD*) echo 'boot unknown the rules that run cannot be read' ;;
      *) echo "rules $(echo "$running" | sha256sum | cut -d ' ' -f 1)"; boot ;;
    esac
  fi
  for file in /etc/nebula/*.crt; do
    [ -e "$file" ] && echo "certificate $file $(nebula-cert print -json -path "$file" | tr -d '\n')"
  done
} 2>/dev/null

boot() { # holds `running` against what the loaders of the boot would make
  loaders=$(loaders_of_boot)
  [ "$loaders" ] || { echo "boot unknown no loader of a firewall is enabled at boot that is known"; return; }
  there='unshare -n'
  $there true || there='unshare -rn'
  $there true || { echo "boot unknown no network namespace can be made here"; return; }
  # A rule that names an interface by its index loads only where there is one of that name.
  made="{ $loaders
    } >/dev/null || {
      for device in $(ls /sys/class/net | tr '\n' ' '); do ip link add \$device type dummy || ip link add \$device type bridge; done
      nft flush ruleset
      { $loaders
      } >/dev/null
    } || exit
    $rules"
  booted=$($there sh -c "$made") || { echo "boot unknown what the boot loads does not load in a namespace of its own: $(echo "$loaders" | tr '\n' ' ')"; return; }
  case $booted in *UNREAD*) echo 'boot unknown the rules in a namespace of its own cannot be read'; return ;; esac
  if [ "$running" = "$booted" ]; then
    echo "boot same $(echo "$loaders" | tr '\n' ' ')"
  else
    echo "boot differs $(echo "$loaders" | tr '\n' ' ')"
    printf '%s\n' "$running" = "$booted" | awk '
      $0 == "=" && !second { second = 1; next }
      !second { count[$0]++; lines[NR] = $0; last = NR; next }
      count[$0] > 0 { count[$0]--; next }
      { print "boot-alone " $0 }
      END { for (i = 1; i <= last; i++) if (count[lines[i]] > 0) { count[lines[i]]--; print "running-alone " lines[i] } }' | head -n 40
  fi
}

loaders_of_boot() { # the commands, joined by && at their line ends
  enabled() { [ "$(ls -d /etc/systemd/system/*.wants/$1.service /etc/runlevels/*/$1)" ]; }
  {
    if enabled ufw && grep -q '^ENABLED=yes' /etc/ufw/ufw.conf && [ ! -x /etc/ufw/before.init ] && [ ! -x /etc/ufw/after.init ]; then echo '/lib/ufw/ufw-init start'; fi
    if enabled nftables; then for file in /etc/nftables.conf /etc/nftables.nft; do [ -r $file ] && echo "nft -f $file"; done; fi
    if enabled iptables; then echo 'iptables-restore /etc/iptables/rules-save'; fi
    if enabled ip6tables; then echo 'ip6tables-restore /etc/iptables/rules6-save'; fi
    if enabled netfilter-persistent; then
      [ -r /etc/iptables/rules.v4 ] && echo 'iptables-restore /etc/iptables/rules.v4'
      [ -r /etc/iptables/rules.v6 ] && echo 'ip6tables-restore /etc/iptables/rules.v6'
    fi
    [ -r /etc/rc.local ] && sed -n 's/^\(\(nft -f\|ip6\{0,1\}tables-restore\( --noflush\)\{0,1\}\) [A-Za-z0-9_./-]*\) *$/\1/p' /etc/rc.local
  } | sed '$!s/$/ \&\&/'
}
