# A look by nc's scan mode alone: a TCP handshake, or whether a datagram may leave. No process but nc's.
# `read -t` forgets what it has of a line when its time is up, and on a busy machine that is in mid-line now and then. So
# only the first character has a time limit; the rest is there, since nc writes a line at once (else 5 s are patience enough).
await() { # until when -> a line of nc's in $line; no process of its own, unlike a sleep
  letter= # bash keeps what it has read as its time ran out, and calls it failed
  now
  if [ $1 -gt $now ]; then
    part=$((($1 - now) % 1000 + 1000))
    read -r -n 1 -t $((($1 - now) / 1000)).${part#1} letter <&5 || [ "$letter" ] || return 1
  else
    read -r -t 0 letter <&5 && read -r -n 1 letter <&5 || return 1 # what is there counts, however late we are
  fi
  read -r -t 5 line <&5
  line=$letter$line
}

verdict_of() { # nc's line in scan mode -> an event of the try; false: it says nothing yet
  case $line in
    *") open") [ $kind = tcp ] && event="connected $try -" ;;
    "nc: udptest "*) fault send "$line" ;;
    "nc: bind"*) fault bind "$line" ;;
    "nc: socket"*) fault socket "$line" ;;
    "nc: $address ("*) fault connect "$line" ;;
    *": bad address "*) event="unprobed $try EINVAL address" ;;
    *": not found") event="unprobed $try ENOENT nc" ;;
    "sent "* | *") open") return 1 ;; # of a datagram, nc calls open what says nothing
    *) fault nc "$line" ;;
  esac
  case $event in unprobed*) event="unprobed ${event#* * }" ;; esac
  [ "$event" ]
}

# Whether each nc has come to sending: on a busy machine it may still wait for its turn, and would then pass for silent.
all_sent() { # pids -> ended: how many of them have; unsent: from the first one on that has not sent, which once is enough to be asked
  ended=0
  while [ $# -gt 0 ]; do
    unsent=$*
    if read -r $brief _ name state _ </proc/$1/stat; then
      case $name$state in *Z) ended=$((ended + 1)) ;; "$shell"? | *R | *D) return 1 ;; esac
    else
      ended=$((ended + 1))
    fi
    shift
  done
  unsent=
}

knock() { # a TCP handshake, or whether a datagram may leave: nc's scan mode, by the look itself -> false: try for real
  pids= try=0 failed=0 patience=$window extra=$settle words=0 # of theirs, one each
  while :; do
    now
    if [ $try -lt $attempts ] && [ $now -ge $((start + try * interval)) ]; then
      [ $sport = 0 ] || [ -z "$pids" ] || { kill -9 $pids; wait $pids; pids= words=0; } # one source port, one nc
      try=$((try + 1)) last=$now
      [ $kind = udp ] || { [ $sport = 0 ] && say "$id sent $try - $((now - start))" || say "$id sent $try $sport $((now - start))"; }
      nc -nz${udp}vv -w $limit $from "$address" "$port" </dev/null 2>&5 >/dev/null &
      pids="$pids $!"
    fi
    due=$((last + window)) over=yes
    [ $try = $attempts ] || due=$((start + try * interval)) over=
    if ! await $due; then
      [ "$over" ] || continue
      now
      if ! all_sent $pids; then # asked ever more seldom: hundreds that ask would be what keeps them from it
        [ $window -lt $((patience + 30000)) ] || { say "$id unprobed EAGAIN nc"; break; }
        window=$(((now - last) * 5 / 4 + 20 + settle)) extra=$((settle ? patience : 0))
        continue
      fi
      # Whoever sleeps has taken in all that came to it; what it said, and what those said who have ended, is in the pipe.
      if ! await 0; then
        [ $extra = 0 ] || { window=$((now - last + extra)) extra=0; continue; } # it may have sent just now
        if [ $kind = tcp ]; then
          [ $ended -le $words ] || say "$id unprobed EAGAIN nc" # killed, perhaps before it sent
          break
        fi
        kill -9 $pids
        wait $pids
        return 1
      fi
    fi
    case $line in "sent "*) ;; *) words=$((words + 1)) ;; esac
    verdict_of || continue
    [ $kind = tcp ] || case $sport in 0) say "$id sent 1 - 0" ;; *) say "$id sent 1 $sport 0" ;; esac
    say "$id $event"
    case $event in error*) failed=$((failed + 1)); [ "$insist" ] && [ $failed -lt $attempts ] && continue ;; esac
    break
  done
  kill -9 $pids
  return 0
}
