# Many places by nc's scan mode alone: no shell of its own waits for each.
told() { # nc's line -> state, address and port; false: it says nothing of a place
  case $line in
    *") open") state=open address=${line%% (*} ;;
    "nc: "*" ("*"): "*) errno_of "$line"; state=error-$errno address=${line#nc: }; address=${address%% (*} ;;
    *) return 1 ;;
  esac
  port=${line#*(} port=${port%%)*} port=${port##*:}
}

scan() { # a command's words
  id=$1 window=$4 udp= limit=2 # of a handshake: the kernel sends its SYN again after a second (RFC 6298)
  [ $3 = tcp ] || udp=u limit=1 # a datagram now and one in the end
  shift 4
  {
    now
    began=$now pids=
    while [ $# -gt 0 ]; do
      nc -nz${udp}vv -w $limit -p $1 "$2" $3 </dev/null 2>&1 >/dev/null &
      pids="$pids $!"
      shift 3
    done
    until all_sent $pids; do sleep 0.02; done
    now
    echo "begun $((now - began))"
    wait
  } 2>/dev/null | { # what the shell itself says would fall into the lines of nc
    sure=
    while read -r line; do
      case $line in
        "begun "*)
          say "$id begun"
          # nc's own time began before it sent: what is said to be silent must have been so for the window.
          [ $((${line#* } + window)) -ge $((limit * 1000)) ] || sure=yes
          continue
          ;;
      esac
      told || continue
      case $state$udp in
        open) say "$id at $address $port connected" ;;
        error-ETIMEDOUT) [ -z "$sure" ] || say "$id at $address $port silent" ;;
        openu) say "$id at $address $port silent" ;; # of a datagram, nc calls open what says nothing
        *) say "$id at $address $port $state" ;;
      esac
    done
  }
}

sweep() { # a command's words: all ports of an address, as many under way as the machine has room for; when one ends, the next begins
  id=$1 kind=$3 place=$4 next=$5 last=$6 rate=$9 # $7, a port of our own: nc chooses one a process
  case $8 in 1) limit=1 packets=1 ;; 2) limit=2 packets=2 ;; *) limit=4 packets=3 ;; esac # SYNs after 0, 1 and 3 s
  udp=
  [ $kind = tcp ] || udp=u limit=1 packets=2
  step=$((rate / packets / 20)) pause=0.05 most=$((sweepers * 3 / 4 - 10)) # others have their turn beside it
  if [ $step = 0 ]; then
    step=1 pause=$((1000 + packets * 1000 / rate % 1000))
    pause=$((packets / rate)).${pause#1}
  fi
  [ $most -gt 0 ] || most=1
  while [ $next -le $last ]; do
    echo $next
    next=$((next + 1))
    [ $((next % step)) != 0 ] || sleep $pause
  done | xargs -n 1 -P $most nc -nz${udp}vv -w $limit "$place" 2>&1 >/dev/null | {
    heard=0 silent=0
    # Each says what came of its port, of its own limit too: where nothing is said, it was not looked at.
    while read -r line; do
      if ! told; then
        case $line in
          "xargs: "* | *": not found" | "nc: socket"* | *": bad address "*) errno_of "$line"; say "$id unprobed $errno nc"; break ;;
        esac
        continue
      fi
      case $state$udp in
        error-ETIMEDOUT* | openu) silent=$((silent + 1)) ;;
        error-ECONNREFUSED*) say "$id ports $port $port refused" ;; # by a RST or as unreachable: nc does not say
        *) say "$id ports $port $port $state" ;;
      esac
      heard=$((heard + 1))
      [ $((heard % 500)) != 0 ] || say "$id swept $heard"
    done
    say "$id silent $silent"
    say "$id swept $heard"
  }
}
