# All TCP ports of an address: nc's scan mode, a process a port, as many at a time as the machine has room for.
sweep() { # a command's words
  id=$1 address=$3 port=$4 last=$5 rate=$8 # $6, a port of our own: nc chooses one a process
  case $7 in 1) limit=1 ;; 2) limit=2 ;; *) limit=4 ;; esac # the kernel sends its SYN again after 1 and 3 s (RFC 6298)
  exec 5<>/proc/self/fd/0
  step=$((rate / 20))
  [ $step -gt 0 ] || step=1
  {
    while [ $port -le $last ]; do
      batch=0
      while [ $batch -lt $((weight - 10)) ] && [ $port -le $last ]; do
        nc -nzvv -w $limit "$address" $port </dev/null 2>&5 >/dev/null &
        port=$((port + 1)) batch=$((batch + 1))
        [ $((batch % step)) != 0 ] || sleep 0.05
      done
      wait
    done
    echo over >&5
  } &
  heard=0 silent=0
  # Of each port nc says one thing, of its own limit too: what is not counted here has not been looked at.
  while read -r line <&5; do
    case $line in
      over) break ;;
      *") open") state=open ;;
      "nc: $address ("*) errno_of "$line"; state=error-$errno ;;
      *) continue ;;
    esac
    place=${line#*(} place=${place%%)*}
    case $state in
      error-ETIMEDOUT) silent=$((silent + 1)) ;;
      error-ECONNREFUSED) say "$id ports ${place##*:} ${place##*:} refused" ;; # by a RST or as unreachable: nc does not say
      *) say "$id ports ${place##*:} ${place##*:} $state" ;;
    esac
    heard=$((heard + 1))
    [ $((heard % 500)) != 0 ] || say "$id swept $heard"
  done
  say "$id silent $silent"
  say "$id swept $heard"
}
