# What the host says of itself: its facts, and its table of connection tracking.
fact() { # name; stdin: its text
  hexed | fold -w $longest_hex | {
    told=
    while read -r part || [ "$part" ]; do say "$id fact $1 $part"; told=yes; done
    [ "$told" ] || say "$id fact $1 -"
  }
}

facts() {
  id=$1
  uname -a | fact kernel
  if command -v ip >/dev/null; then
    ip -o addr | fact addresses
    ip -o link | fact links
    { ip -4 route show table all || ip -4 route; } | fact routes4
    { ip -6 route show table all || ip -6 route; } | fact routes6
    ip neigh | fact neighbours
  else
    for what in addresses links routes4 routes6 neighbours; do say "$id error 0 ENOENT $what"; done
  fi
  for file in /run/systemd/resolve/resolv.conf /etc/resolv.conf; do
    [ -r $file ] && fact resolvers <$file && break
  done
  for family in ipv4:ipv4/ip_forward ipv6:ipv6/conf/all/forwarding; do
    [ -r /proc/sys/net/${family#*:} ] && echo "${family%:*} $(cat /proc/sys/net/${family#*:})"
  done | fact forwarding
  # Rules that cannot be read may be such rules.
  for list in 'nft --stateless list ruleset' iptables-save ip6tables-save; do
    ! command -v ${list%% *} >/dev/null || $list || echo notrack: unread
  done 2>/dev/null | grep -i notrack | fact untracked
  if [ ! -e /proc/net/nf_conntrack ]; then echo absent; elif [ -r /proc/net/nf_conntrack ]; then echo readable; else echo denied; fi | tr -d '\n' | fact conntrack
}

conntrack() { # id, addresses: rows whose first src= is one of them
  if [ ! -e /proc/net/nf_conntrack ]; then
    say "$1 unprobed ENOENT conntrack"
  elif [ ! -r /proc/net/nf_conntrack ]; then
    say "$1 unprobed EACCES conntrack"
  else
    awk -v wanted="$2" '
      function full(address,   n, i, groups, out, fill) { # IPv6 in one spelling, as the table has it: 2001:0db8:0000:…
        if (address !~ /:/) return address
        sub(/^::/, "0::", address); sub(/::$/, "::0", address)
        n = split(address, groups, ":")
        for (i = 1; i <= n; i++)
          if (groups[i] == "") for (fill = n; fill <= 8; fill++) out = out ":0000"
          else out = out ":" substr("000" tolower(groups[i]), length(groups[i]))
        return substr(out, 2)
      }
      BEGIN {
        count = split(wanted, list, ",")
        for (i = 1; i <= count; i++) asked[full(list[i])]
        for (i = 32; i < 127; i++) hex[sprintf("%c", i)] = sprintf("%02x", i)
      }
      match($0, /src=[^ ]*/) && (full(substr($0, RSTART + 4, RLENGTH - 4)) in asked) {
        line = ""
        for (i = 1; i <= length($0); i++) line = line hex[substr($0, i, 1)]
        print line
      }' /proc/net/nf_conntrack | while read -r row; do say "$1 row $row"; done
    dropped "$1" 2>/dev/null </proc/net/stat/nf_conntrack
  fi
}

dropped() { # id: the entries that a full table forgot before their time and the packets that it kept out
  id=$1 names= sum=0 text=
  while read -r line; do
    [ "$names" ] || { names=$line; continue; }
    set -- $line # hexadecimal, a line a processor
    for name in $names; do
      case $name in drop | early_drop) sum=$((sum + 0x$1)) ;; esac
      shift
    done
  done
  [ "$names" ] || return
  while [ "$sum" ]; do text=${text}3${sum%"${sum#?}"} sum=${sum#?}; done
  say "$id fact dropped $text"
}
