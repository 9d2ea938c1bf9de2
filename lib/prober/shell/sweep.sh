# Many places by nc's scan mode alone: no shell of its own waits for each.
told() { # nc's line -> state, address and port; false: it says nothing of a place
  case $line in
    *" ("*" ("*) return 1 ;; # two lines that fell into each other
    *" ("*") open") state=open address=${line%% (*} ;;
    "nc: "*" ("*"): "*) errno_of "$line"; state=error-$errno address=${line#nc: }; address=${address%% (*} ;;
    *) return 1 ;;
  esac
  port=${line#*(} port=${port%%)*} port=${port##*:}
}

# Of its two datagrams, nc says for which place only what became of the second; of a first one that failed it says just that. A firewall
# that lets out so many a second may bar the one and not the other, and one that rejects makes of the second an error of the network.
first_failed() { # nc's line
  case $line in "nc: udptest first "*) ;; *) return 1 ;; esac
}

scan() { # a command's words
  id=$1 window=$4 udp= limit=2 # of a handshake: the kernel sends its SYN again after a second (RFC 6298)
  [ $3 = tcp ] || udp=u limit=1 # a datagram now and one in the end
  shift 4
  {
    now
    began=$now pids= naps=0 count=0
    while [ $# -gt 0 ] && [ $count -lt $((room - 2)) ]; do
      own=
      [ $1 = 0 ] || own="-p $1"
      nc -nz${udp}vv -w $limit $own "$2" $3 </dev/null 2>&1 >/dev/null &
      pids="$pids $!" count=$((count + 1))
      shift 3
    done
    unsent=$pids
    until all_sent $unsent || [ $naps -ge 1500 ]; do sleep 0.02; naps=$((naps + 1)); done # 30 s
    now
    echo "begun $((now - began)) $count"
    wait
  } 2>/dev/null | { # what the shell itself says would fall into the lines of nc
    sure= firsts=0 errors= count= # of a scan that could not begin all of them, no count is told
    while read -r line; do
      case $line in
        "begun "*)
          say "$id begun"
          set -- ${line#* }
          count=$2
          # nc's own time began before it sent: what is said to be silent must have been so for the window.
          [ $(($1 + window)) -ge $((limit * 1000)) ] || sure=yes
          continue
          ;;
      esac
      ! first_failed || firsts=$((firsts + 1))
      told || continue
      case $state$udp in
        open) say "$id at $address $port connected" ;;
        error-ETIMEDOUT) [ -z "$sure" ] || say "$id at $address $port silent" ;;
        openu) say "$id at $address $port silent" ;; # of a datagram, nc calls open what says nothing
        *u) errors="$errors $address $port $state" ;;
        *) say "$id at $address $port $state" ;;
      esac
    done
    # Barred is what all were both times, an answer of the network what none was: else each is to be looked at by itself.
    set -- $errors
    while [ $# -gt 0 ]; do
      case $3 in error-EPERM) all=$count ;; *) all=0 ;; esac
      [ $firsts != "$all" ] || say "$id at $1 $2 $3"
      shift 3
    done
  }
}

sweep_room() { # first port, last -> most: its processes at once; others have their turn beside it
  most=$((sweepers * 3 / 4 - 10))
  [ $most -gt 0 ] || most=1
  [ $most -le $(($2 - $1 + 1)) ] || most=$(($2 - $1 + 1))
}

sweep() { # a command's words: all ports of an address, as many under way as the machine has room for; when one ends, the next begins
  id=$1 kind=$3 place=$4 next=$5 last=$6 rate=$9 # $7, a port of our own: nc chooses one a process
  case $8 in 1) limit=1 packets=1 ;; 2) limit=2 packets=2 ;; *) limit=4 packets=3 ;; esac # SYNs after 0, 1 and 3 s
  udp=
  [ $kind = tcp ] || udp=u limit=1 packets=2
  step=$((rate / packets / 20)) pause=0.05
  sweep_room $5 $6
  if [ $step = 0 ]; then
    step=1 pause=$((1000 + packets * 1000 / rate % 1000))
    pause=$((packets / rate)).${pause#1}
  fi
  while [ $next -le $last ]; do
    echo $next
    next=$((next + 1))
    [ $((next % step)) != 0 ] || sleep $pause
  done | {
    read -r me _ </proc/self/stat
    echo "pid $me"
    exec 2>&1 >/dev/null xargs -n 1 -P $most nc -nz${udp}vv -w $limit "$place"
  } | {
    read -r _ xargs
    heard=0 silent=0 firsts=0 barred=0
    # Each says what came of its port, of its own limit too: where nothing is said, it was not looked at.
    while read -r line; do
      if ! told; then
        ! first_failed || firsts=$((firsts + 1))
        case $line in
          "xargs: "* | *": not found" | "nc: socket"* | *": bad address "*) errno_of "$line"; say "$id unprobed $errno nc"; kill $xargs; break ;;
        esac
        continue
      fi
      case $state$udp in
        error-EPERMu) barred=$((barred + 1)); say "$id ports $port $port $state" ;;
        error-ETIMEDOUT* | openu) silent=$((silent + 1)) ;;
        error-ECONNREFUSED*) say "$id ports $port $port refused" ;; # by a RST or as unreachable: nc does not say
        *) say "$id ports $port $port $state" ;;
      esac
      heard=$((heard + 1))
      [ $((heard % 500)) != 0 ] || say "$id swept $heard"
    done
    [ $firsts = $barred ] || say "$id unprobed EAGAIN udptest" # see above
    say "$id silent $silent"
    say "$id swept $heard"
  }
}
