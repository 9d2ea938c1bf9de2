# All ports of an address: nc's scan mode, a process a port. As many are under way as the machine has room for: when one ends, the next begins.
sweep() { # a command's words
  id=$1 kind=$3 address=$4 port=$5 last=$6 rate=$9 # $7, a port of our own: nc chooses one a process
  case $8 in 1) limit=1 ;; 2) limit=2 ;; *) limit=4 ;; esac # the kernel sends its SYN again after 1 and 3 s (RFC 6298)
  udp=
  [ $kind = tcp ] || udp=u limit=1 # a datagram now and one in the end
  exec 5<>/proc/self/fd/0
  step=$((rate / 20)) most=$((weight - 10)) under=0 heard=0 silent=0
  [ $most -gt 0 ] || most=1
  [ $step -gt 0 ] || step=1
  while :; do
    while [ $under -lt $most ] && [ $port -le $last ]; do
      nc -nz${udp}vv -w $limit "$address" $port </dev/null 2>&5 >/dev/null &
      eval "pid_$port=$!"
      port=$((port + 1)) under=$((under + 1))
      [ $((port % step)) != 0 ] || sleep 0.05
    done
    [ $under -gt 0 ] || break
    # Each says what came of its port, of its own limit too: where nothing is said for so long, they are gone, and those ports were not looked at.
    read -r ${knocks:+-t 60} line <&5 || break
    case $line in
      *") open") state=open ;;
      "nc: $address ("*) errno_of "$line"; state=error-$errno ;;
      *": not found" | "nc: socket"* | *": bad address "*) errno_of "$line"; say "$id unprobed $errno nc"; break ;;
      *) continue ;;
    esac
    place=${line#*(} place=${place%%)*} place=${place##*:}
    eval "pid=\${pid_$place-}"
    [ "$pid" ] || continue
    wait $pid # it is about to end, and the machine counts it until somebody has asked
    unset "pid_$place"
    case $state$udp in
      error-ETIMEDOUT* | openu) silent=$((silent + 1)) ;; # of a datagram, nc calls open what says nothing
      error-ECONNREFUSED*) say "$id ports $place $place refused" ;; # by a RST or as unreachable: nc does not say
      *) say "$id ports $place $place $state" ;;
    esac
    heard=$((heard + 1)) under=$((under - 1))
    [ $((heard % 500)) != 0 ] || say "$id swept $heard"
  done
  say "$id silent $silent"
  say "$id swept $heard"
}
