# All ports of an address: nc's scan mode, a process a port. As many are under way as the machine has room for: when one ends, the next begins.
begin_all() { # begins them; ports that have ended come on pipe 6
  under=0
  while :; do
    while [ $under -lt $most ] && [ $port -le $last ]; do
      nc -nz${udp}vv -w $limit "$address" $port </dev/null 2>&5 >/dev/null &
      eval "pid_$port=$!"
      port=$((port + 1)) under=$((under + 1))
      [ $((port % step)) != 0 ] || sleep $pause
    done
    [ $under -gt 0 ] || break
    read -r ended <&6
    eval "pid=\${pid_$ended-}"
    [ "$pid" ] || continue
    wait $pid # the machine counts it until somebody has asked
    unset "pid_$ended"
    under=$((under - 1))
  done
  echo over >&5
}

sweep() { # a command's words
  id=$1 kind=$3 address=$4 port=$5 last=$6 rate=$9 # $7, a port of our own: nc chooses one a process
  case $8 in 1) limit=1 packets=1 ;; 2) limit=2 packets=2 ;; *) limit=4 packets=3 ;; esac # the kernel sends its SYN again after 1 and 3 s (RFC 6298)
  udp=
  [ $kind = tcp ] || udp=u limit=1 packets=2 # a datagram now and one in the end
  step=$((rate / packets / 20)) pause=0.05 most=$((sweepers * 3 / 4 - 10)) # others have their turn beside it
  if [ $step = 0 ]; then
    step=1 pause=$((1000 + packets * 1000 / rate % 1000))
    pause=$((packets / rate)).${pause#1}
  fi
  [ $most -gt 0 ] || most=1
  exec 5<>/proc/self/fd/0
  : | {
    exec 6<>/proc/self/fd/0
    begin_all &
    beginner=$! heard=0 silent=0
    # Read by another than who waits for them: many that end at once fill the pipe, and none of them ends before it has said its last words.
    # Each says what came of its port, of its own limit too: where nothing is said for so long, they are gone, and those ports were not looked at.
    while read -r ${knocks:+-t 60} line <&5; do
      case $line in
        over) break ;;
        *") open") state=open ;;
        "nc: $address ("*) errno_of "$line"; state=error-$errno ;;
        *": not found" | "nc: socket"* | *": bad address "*) errno_of "$line"; say "$id unprobed $errno nc"; break ;;
        *) continue ;;
      esac
      place=${line#*(} place=${place%%)*} place=${place##*:}
      case $state$udp in
        error-ETIMEDOUT* | openu) silent=$((silent + 1)) ;; # of a datagram, nc calls open what says nothing
        error-ECONNREFUSED*) say "$id ports $place $place refused" ;; # by a RST or as unreachable: nc does not say
        *) say "$id ports $place $place $state" ;;
      esac
      echo $place >&6
      heard=$((heard + 1))
      [ $((heard % 500)) != 0 ] || say "$id swept $heard"
    done
    kill -9 $beginner
    say "$id silent $silent"
    say "$id swept $heard"
  }
}
