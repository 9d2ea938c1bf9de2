# One look: tcp, udp or icmp. Where scan mode is not enough, a pace maker starts the tries, and each is told of.
nap() { # milliseconds; killable with the look
  part=$(($1 % 1000 + 1000))
  sleep "$(($1 / 1000)).${part#1}" &
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
    [ $naps -lt 1500 ] || { echo "unprobed $try EAGAIN nc"; return; } # 30 s
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

look() {
  exec 5<>/proc/self/fd/0
  id=$1 kind=$2 address=$3
  shift 3
  [ $kind = icmp ] || { port=$1 sport=$2 && shift 2; }
  hex=$1 attempts=${2#[+=]} interval=$3 window=$4
  case $2 in +*) insist=yes ;; *) insist= ;; esac
  case $2 in =*) let_out=yes ;; *) let_out= ;; esac
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
    tcp-) [ -z "$knocks" ] || { settle=50; knock; return; } ;;
    # What bars a datagram, nc only says in scan mode; else 8,200 writes must fail first. It says so before it first sleeps.
    udp*)
      if [ "$knocks" ] && [ -z "$let_out" ]; then
        wanted="$attempts $window" attempts=1 window=20 settle=0 udp=u
        knock && return
        attempts=${wanted% *} window=${wanted#* }
      fi
      ;;
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
        last=$rest begun=$try
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
        # On a busy machine it comes when the next try has begun: whether that one is let out is still to be told.
        [ $failed -lt $begun ] || { [ "$insist" ] && [ $failed -lt $attempts ]; } || break
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
