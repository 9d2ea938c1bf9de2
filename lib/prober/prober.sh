# The prober for hosts without python: any POSIX sh with busybox's nc (stock Alpine). Same commands and events as
# prober.py, which lists them; it writes no file and ends when its stdin does.
#
# How it gets there: an SSH exec channel runs
#     exec sh -c 'p=; while IFS= read -r l; do [ "$l" = "#END" ] && break; p="$p$l
#     "; done; eval "$p"'
# with this file and the end mark on stdin; the text must stay in $p. What follows on stdin are commands.
#
# What it can't know, and therefore never says: the sender and code of an ICMP error; the source port that nc chose; the
# time of a handshake, and to which try it belongs (the newest is named); that a peer hung up without a word (`closed`);
# ICMP errors about a ping, and its payload; that a router calls the target of a datagram unreachable. Datagrams that
# follow each other within 100 ms are one `data`. Before the datagrams that were asked for goes one with a single NUL:
# nc's scan mode alone says what bars it. Long facts come as several `fact` lines of one name, to be joined.
#
# Processes: this shell > engine, leader of a group of its own that dies as one > a reader of stdin, and per command a
# look > per try nc, where nc's scan mode is enough; else > a pace maker > per try nc and a `tell` that reads what it
# says. They talk over pipes that need no name: a
# shell opens the pipe that is its stdin for writing as well (`exec 5<>/proc/self/fd/0`) and lets its children have it.

if [ "$0" != flowproof-engine ]; then
  exec 3<&0
  p=$p setsid sh -c 'eval "$p"' flowproof-engine <&3 3<&- &
  exec 3<&- 2>/dev/null # where bash would say that the engine was killed
  trap 'kill -9 -$!; exit 143' HUP INT TERM
  wait
  exit 0
fi

unset p
set -f
read -r _ shell _ </proc/self/stat # its name in brackets
LC_ALL=C
PATH=$PATH:/usr/bin:/bin:/usr/sbin:/sbin
# Looks at once: a silent one with three tries is ten processes, 1.3 MB with what the kernel keeps of them, and half of
# the free memory is ours to take. 128 (160 MB) are enough for 80 silent looks a second.
while read -r name free _; do [ "$name" != MemAvailable: ] || break; done </proc/meminfo
at_once=$((free / 2 / 1300))
[ $at_once -lt 128 ] || at_once=128
[ $at_once -gt 8 ] || at_once=8
# In hex digits: a line must fit into PIPE_BUF (4096), lest another's line fall into it. 119 lines of nc's dump.
longest_hex=3808

# Whether this shell's `read` has a time limit (busybox and bash: yes, dash: no): then a look can wait by itself.
knocks=
read -r -t 0.01 line </dev/null 2>/dev/null
[ $? != 1 ] || knocks=yes

say() { echo "$*"; } # not printf: busybox's writes a long line in pieces

now() { # -> now: milliseconds, to 10
  read -r now _ </proc/uptime
  now=${now%.*}${now#*.}0
}

hexed() { od -An -v -tx1 | tr -d ' \n'; }

# ---- What nc and ping say, as musl (Alpine) and as glibc put it.

errno_of() { # text -> errno
  case $1 in
    *"Connection refused") errno=ECONNREFUSED ;;
    *"Operation not permitted") errno=EPERM ;;
    *"Permission denied") errno=EACCES ;;
    *"Network unreachable" | *"Network is unreachable") errno=ENETUNREACH ;;
    *"Host is unreachable" | *"No route to host") errno=EHOSTUNREACH ;;
    *"Address not available" | *"Cannot assign requested address") errno=EADDRNOTAVAIL ;;
    *"Address in use" | *"Address already in use") errno=EADDRINUSE ;;
    *"Address family not supported by protocol") errno=EAFNOSUPPORT ;;
    *"Invalid argument") errno=EINVAL ;;
    *"Connection reset by peer") errno=ECONNRESET ;;
    *"Operation timed out" | *"Connection timed out") errno=ETIMEDOUT ;;
    *"No file descriptors available" | *"Too many open files") errno=EMFILE ;;
    *"Too many open files in system") errno=ENFILE ;;
    *"Out of memory" | *"Cannot allocate memory") errno=ENOMEM ;;
    *"No buffer space available") errno=ENOBUFS ;;
    *"Resource temporarily unavailable") errno=EAGAIN ;;
    *"Message too large" | *"Message too long") errno=EMSGSIZE ;;
    *"Protocol not available") errno=ENOPROTOOPT ;;
    *) errno=UNKNOWN ;;
  esac
}

fault() { # operation, nc's line -> an event of the try: its error, or that we could not look
  errno_of "$2"
  case $errno/$1 in
    EMFILE/* | ENFILE/* | ENOMEM/* | ENOBUFS/* | EAGAIN/* | EADDRINUSE/* | */bind) echo "unprobed $try $errno $1" ;;
    # No IPv6 address here; but for IPv4 or with a source port of ours it is that port which is taken.
    EADDRNOTAVAIL/*) case $sport$address in 0*:*) echo "error $try $errno $1" ;; *) echo "unprobed $try $errno $1" ;; esac ;;
    # A prohibit route; but a broadcast address too, whose answers have another sender than nc would take.
    EACCES/connect) case $(ip route get "$address") in broadcast*) echo "unprobed $try $errno $1" ;; *) echo "error $try $errno $1" ;; esac ;;
    ETIMEDOUT/*) ;; # nc's own limit: silence
    UNKNOWN/*) echo "error $try $errno $1 $(printf %.200s "$2" | hexed)" ;;
    *) echo "error $try $errno $1" ;;
  esac
}

tell() { # stdin: what nc or ping writes -> events of the try
  answer=
  while read -r line; do
    case $line in
      "pid "*) pid=${line#* } ;;
      *") open") [ $kind = udp ] || echo "connected $try" ;;
      # nc's hex dump: `< 00000000 68 65 6c 6c 6f   # hello`
      "< "*)
        # Nothing says where a dump ends, but nc's last words have its length: they are asked for when it should be out.
        [ "$answer" ] || { now; { sleep 0.1; kill "$pid"; } & }
        set -- ${line%%#*}
        shift 2
        IFS=
        answer=$answer$*
        unset IFS
        [ ${#answer} -lt $longest_hex ] || { kill -9 "$pid"; echo "data $try $answer $((now - start)) $address"; answer=; }
        ;;
      "sent "*)
        [ "$answer" ] || continue
        if [ $((${line##* } * 2)) = ${#answer} ]; then echo "data $try $answer $((now - start)) $address"; else fault read "$line"; fi
        ;;
      "> "* | "punt!" | "net timeout") ;;
      # 8,200 writes in a row have failed, but nc does not say of what. Its scan mode does.
      "nc: too many output retries") nc -nuzvv -w 1 $from "$address" "$port" </dev/null 2>&1 | { read -r line && fault send "$line"; } ;;
      "nc: net read: "*) fault read "$line" ;;
      "nc: bind"*) fault bind "$line" ;;
      "nc: socket"*) fault socket "$line" ;;
      *": bad address "*) echo "unprobed $try EINVAL address" ;;
      *": not found") echo "unprobed $try ENOENT nc" ;;
      "nc: $address ("*) fault connect "$line" ;;
      *" bytes from "*)
        now
        line=${line#* bytes from }
        echo "data $try - $((now - start)) ${line%%: *}"
        ;;
      "ping: sendto: "*) fault send "$line" ;;
      "ping: permission denied"*) echo "unprobed $try EPERM socket" ;;
      "PING "* | "" | "--- "* | *" packets transmitted"* | "round-trip "*) ;;
      *) fault nc "$line" ;;
    esac
  done
  echo "gone $try"
}

# ---- One look: tcp, udp or icmp.

nap() { # milliseconds; killable with the look
  sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))" &
  echo "nap $!"
  wait $!
}

pace() { # starts the tries one interval apart -> events
  exec 7<>/proc/self/fd/0
  try=0
  while [ $try -lt $attempts ]; do
    if [ $try -gt 0 ]; then
      nap $interval
      [ $sport = 0 ] || { kill -9 $pid; wait $tell; } # one source port, one nc, and the next when its socket is gone
    fi
    try=$((try + 1))
    now
    echo "sent $try $now"
    : | {
      exec 8<>/proc/self/fd/0 # nc's stdin never ends: some servers take a half-closed peer for a gone one
      printf %b "$octal" >&8
      read -r me _ </proc/self/stat
      echo "$me" >&7
      echo "pid $me"
      [ $kind = icmp ] || exec >/dev/null # what nc gets stands in its dump
      exec $talk
    } 2>&1 | tell &
    tell=$!
    read -r pid <&7
    echo "pid $try $pid"
  done
  # On a busy machine nc may not have come to it yet. Once it sleeps it has sent: only then does the window begin.
  naps=0
  while read -r _ name state _ </proc/$pid/stat; do
    case $name$state in "$shell"? | *R | *D) ;; *) break ;; esac
    [ $naps -lt 250 ] || { echo "unprobed $try EAGAIN nc"; return; } # 5 s
    naps=$((naps + 1))
    nap 20
  done
  nap $window
  echo over
}

forget() { # kills the tries but the one given
  k=1
  while [ $k -le $attempts ]; do
    eval "pid=\${pid_$k-}"
    [ $k = "${1-}" ] || [ -z "$pid" ] || kill -9 $pid
    k=$((k + 1))
  done
}

await() { # until when -> a line of nc's in $line; no process of its own, unlike a sleep
  now
  [ $1 -gt $now ] || return 1
  part=$((($1 - now) % 1000 + 1000))
  read -r -t $((($1 - now) / 1000)).${part#1} line <&5
}

verdict_of() { # nc's line in scan mode -> an event of the try; false: it says nothing yet
  case $line in
    *") open") [ $kind = tcp ] && event="connected $try -" ;;
    "nc: udptest "*) event=$(fault send "$line") ;;
    "nc: bind"*) event=$(fault bind "$line") ;;
    "nc: socket"*) event=$(fault socket "$line") ;;
    "nc: $address ("*) event=$(fault connect "$line") ;;
    *": bad address "*) event="unprobed $try EINVAL address" ;;
    *": not found") event="unprobed $try ENOENT nc" ;;
    *) return 1 ;;
  esac
  case $event in unprobed*) event="unprobed ${event#* * }" ;; esac
  [ "$event" ]
}

# Whether each nc has come to sending: on a busy machine it may still wait for its turn, and would then pass for silent.
all_sent() { # pids
  for each; do
    read -r _ name state _ </proc/$each/stat || continue # it has ended
    case $name$state in "$shell"? | *R | *D) return 1 ;; esac
  done
}

knock() { # a TCP handshake, or whether a datagram may leave: nc's scan mode, by the look itself -> false: try for real
  pids= try=0 failed=0 patience=$window extra=${settle:-50}
  while :; do
    now
    if [ $try -lt $attempts ] && [ $now -ge $((start + try * interval)) ]; then
      [ $sport = 0 ] || [ -z "$pids" ] || { kill -9 $pids; wait $pids; pids=; } # one source port, one nc
      try=$((try + 1)) last=$now
      [ $kind = udp ] || { [ $sport = 0 ] && say "$id sent $try - $((now - start))" || say "$id sent $try $sport $((now - start))"; }
      nc -nz${udp}vv -w $limit $from "$address" "$port" </dev/null 2>&5 >/dev/null &
      pids="$pids $!"
    fi
    due=$((last + window)) over=yes
    [ $try = $attempts ] || due=$((start + try * interval)) over=
    if await $due; then
      verdict_of || continue
      [ $kind = tcp ] || say "$id sent 1 $([ $sport = 0 ] && echo - || echo $sport) 0"
      say "$id $event"
      case $event in error*) failed=$((failed + 1)); [ "$insist" ] && [ $failed -lt $attempts ] && continue ;; esac
      break
    elif [ "$over" ]; then
      now
      if ! all_sent $pids; then
        [ $window -lt $((patience + 5000)) ] || { say "$id unprobed EAGAIN nc"; break; }
        window=$((now - last + 50)) extra=$patience
      elif [ $extra != 0 ]; then # it has sent just now, or what it said may be on its way to us
        window=$((now - last + extra)) extra=0
      elif [ $kind = tcp ]; then
        break
      else
        kill -9 $pids
        wait $pids
        return 1
      fi
    fi
  done
  kill -9 $pids
  return 0
}

look() {
  exec 5<>/proc/self/fd/0
  id=$1 kind=$2 address=$3
  shift 3
  [ $kind = icmp ] || { port=$1 sport=$2 && shift 2; }
  hex=$1 attempts=${2#+} interval=$3 window=$4
  case $2 in +*) insist=yes ;; *) insist= ;; esac
  octal= rest=${hex#-}
  while [ "$rest" ]; do
    byte=$((0x${rest%"${rest#??}"})) rest=${rest#??}
    octal=$octal'\0'$((byte >> 6))$((byte >> 3 & 7))$((byte & 7))
  done
  limit=$(((attempts * interval + window) / 1000 + 2)) # seconds: nc's own, should we be gone
  from=
  [ "${sport:=0}" = 0 ] || from="-p $sport"
  now
  start=$now udp=
  case $kind$hex in
    tcp-) [ -z "$knocks" ] || { knock; return; } ;;
    # What bars a datagram, nc only says in scan mode; else 8,200 writes must fail first. It says so at once, but on a
    # machine with ten times the work that it can do, a few of a thousand took more than a tenth of a second.
    udp*) [ -z "$knocks" ] || ( attempts=1 window=100 settle=250 udp=u; knock ) && [ "$knocks" ] && return ;;
  esac
  case $kind$hex in
    tcp*) talk="nc -nvv -w $limit -o /proc/self/fd/2 $from $address $port" ;;
    udp*) talk="nc -nuvv -w $limit -o /proc/self/fd/2 $from $address $port" ;;
    icmp*) talk="ping -c 1 -w $limit $address" octal= ;;
  esac
  failed=0 nap=
  : | pace >&5 &
  pace=$!
  while read -r event try rest; do
    case $event in
      sent)
        last=$rest
        [ $sport = 0 ] && say "$id sent $try - $((last - start))" || say "$id sent $try $sport $((last - start))"
        ;;
      pid) eval "pid_$try=$rest" ;;
      nap) nap=$try ;;
      gone) unset "pid_$try" ;;
      connected)
        say "$id connected $try -"
        [ "$hex" != - ] || break
        kill -9 $pace $nap
        forget "$try"
        now
        { nap $((last + window > now ? last + window - now : 0)); echo over; } >&5 &
        pace=$! attempts=$try insist=
        ;;
      data)
        say "$id data $try $rest"
        break
        ;;
      error)
        say "$id error $try $rest"
        failed=$((failed + 1))
        [ "$insist" ] && [ $failed -lt $attempts ] || break
        ;;
      unprobed)
        say "$id unprobed $rest"
        break
        ;;
      over) break ;;
    esac
  done
  kill -9 $pace $nap
  forget
}

# ---- The other commands.

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
    { ip -4 route show table all || ip -4 route; } | fact routes4
    { ip -6 route show table all || ip -6 route; } | fact routes6
    ip neigh | fact neighbours
  else
    for what in addresses routes4 routes6 neighbours; do say "$id error 0 ENOENT $what"; done
  fi
  for file in /run/systemd/resolve/resolv.conf /etc/resolv.conf; do
    [ -r $file ] && fact resolvers <$file && break
  done
  for family in ipv4:ipv4/ip_forward ipv6:ipv6/conf/all/forwarding; do
    [ -r /proc/sys/net/${family#*:} ] && echo "${family%:*} $(cat /proc/sys/net/${family#*:})"
  done | fact forwarding
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
  fi
}

run() {
  case $2 in
    facts) facts "$1" ;;
    conntrack) conntrack "$1" "$3" ;;
    *) look "$@" ;;
  esac
  say "$1 end"
  read -r me _ </proc/self/stat
  echo "done $me" >&3
}

# ---- Commands in.

number() { # text, most
  case $1 in '' | *[!0-9]* | 0?* | ??????*) return 1 ;; esac
  [ "$1" -le "$2" ]
}

bytes() { # text: hex or -
  case $1 in -) return 0 ;; '' | *[!0-9a-fA-F]*) return 1 ;; esac
  [ $((${#1} % 2)) = 0 ]
}

timing() { number "${1#+}" 1000 && [ "${1#+}" != 0 ] && number "$2" 60000 && number "$3" 60000; }

well_formed() {
  case $2/$# in
    facts/2 | quit/2 | conntrack/3) ;;
    tcp/9 | udp/9) number "$4" 65535 && number "$5" 65535 && bytes "$6" && timing "$7" "$8" "$9" ;;
    icmp/7) bytes "$4" && timing "$5" "$6" "$7" ;;
    *) return 1 ;;
  esac
}

obey() { # commands -> the engine's queue; never waits for a look, so that the end of stdin is seen at once
  while IFS= read -r line; do
    name=${line%% *}
    case $name in '' | *[!A-Za-z0-9]*) name=- ;; esac
    # Nothing but these characters gets near a command line; and a line must fit into PIPE_BUF, see above.
    case $line in *[!A-Za-z0-9:.,%+_@\ -]*) set -- - - ;; *) set -- $line ;; esac
    if [ $# -ge 2 ] && [ ${#line} -le 4000 ] && well_formed "$@"; then
      [ "$2" != quit ] || { say "$1 end"; break; }
      echo "do $line" >&3
    else
      say "$name malformed $(printf %.100s "$line" | hexed)"
      [ $name = - ] || say "$name end"
    fi
  done
  kill -9 0
}

echo
say "FLOWPROOF-1 sh uid=$(id -u) "
exec 4<&0
: | {
  exec 3<>/proc/self/fd/0
  obey <&4 &
  exec 4<&-
  running=0 first=0 next=0
  while read -r what line; do
    case $what in
      do) eval "queued_$next=\$line" next=$((next + 1)) ;;
      done) wait "$line"; running=$((running - 1)) ;;
    esac
    while [ $running -lt $at_once ] && [ $first -lt $next ]; do
      eval "line=\$queued_$first; unset queued_$first"
      first=$((first + 1)) running=$((running + 1))
      : | run $line 2>/dev/null &
    done
  done
}
