# Commands in: looks to the engine, which runs as many at once as the machine has room for; what tells of the host waits for none of them.
perform() {
  case $2 in
    facts) facts "$1" ;;
    configuration) id=$1; set +f; configuration | fact configuration ;;
    conntrack | lock | unlock) $2 "$1" "$3" ;;
    resets | bounds) $2 "$1" ;;
    scan | sweep) $2 "$@" ;;
    raw | frame | sweep-past | listen) say "$1 unprobed ENOSYS $2" ;;
    *) look "$@" ;;
  esac
  say "$1 end"
}

take_turn() {
  perform "$@"
  read -r me _ </proc/self/stat
  echo "done $me $weight" >&3
}

start() { # a function's words, with a pipe of its own for its stdin
  if [ "$here" ]; then
    emptied "$@" 2>/dev/null <<. &

.
  else
    : | "$@" 2>/dev/null &
  fi
}

emptied() {
  read -r _
  "$@"
}

weigh() { # command -> weight: the processes that it takes at most, in the measure of a look with a pace maker
  case $2-${6-} in
    tcp--) [ -z "$knocks" ] && weight=$((3 * ${7#[+=]} + 1)) || weight=$((${7#[+=]} + 1)) ;;
    tcp-* | udp-*) weight=$((3 * ${7#[+=]} + 1)) ;;
    icmp-*) weight=$((3 * ${5#[+=]} + 1)) ;;
    scan-*) weight=$((($# - 4) / 3 + 2)) ;;
    sweep-[0-9]*) sweep_room $5 $6; weight=$((most * room / sweepers + 5)) ;; # it has room of its own, of which this is its part
    *) weight=5 ;;
  esac
  [ $weight -lt $room ] || weight=$room
}

number() { # text, most
  case $1 in '' | *[!0-9]* | 0?* | ??????*) return 1 ;; esac
  [ "$1" -le "$2" ]
}

from_1() { number "$@" && [ "$1" != 0 ]; }

bytes() { # text: hex or -
  case $1 in -) return 0 ;; '' | *[!0-9a-fA-F]*) return 1 ;; esac
  [ $((${#1} % 2)) = 0 ]
}

places() { # own port, address and port of each
  while [ $# -gt 2 ]; do
    number "$1" 65535 && place "$2" && from_1 "$3" 65535 || return 1
    shift 3
  done
  [ $# = 0 ]
}

timing() { number "${1#[+=]}" 1000 && [ "${1#[+=]}" != 0 ] && number "$2" 60000 && number "$3" 60000; }

place() { case $1 in -*) return 1 ;; esac; } # nc would take it for an option, and one of those runs a program

loopback() { # IPv4
  case $1 in *[!0-9.]*) return 1 ;; esac
  IFS=.; set -- $1; unset IFS
  [ "$1/$#" = 127/4 ] && number "$2" 255 && number "$3" 255 && number "$4" 255
}

well_formed() {
  case $2/$# in
    facts/2 | configuration/2 | quit/2 | resets/2 | bounds/2 | conntrack/3 | raw/8 | frame/8 | sweep-past/10 | listen/7) ;;
    lock/3 | unlock/3) loopback "$3" ;;
    tcp/9 | udp/9) place "$3" && number "$4" 65535 && number "$5" 65535 && bytes "$6" && timing "$7" "$8" "$9" ;;
    sweep/10) case $3 in tcp | udp) ;; *) return 1 ;; esac && place "$4" && from_1 "$5" 65535 && from_1 "$6" 65535 && [ "$5" -le "$6" ] && from_1 "$7" 65535 && from_1 "$8" 1000 && from_1 "$9" 99999 && number "${10}" 60000 ;;
    scan/*) case $3 in tcp | udp) ;; *) return 1 ;; esac && number "$4" 1000 && [ $# -ge 7 ] && [ $# -le 196 ] && shift 4 && places "$@" ;;
    icmp/7) place "$3" && bytes "$4" && timing "$5" "$6" "$7" ;;
    *) return 1 ;;
  esac
}

# A connection may die without a word: so long without a line, and nobody is there any more. (Not where `read` has no time limit.)
patience_s=120

obey() { # commands -> the engine's queue; never waits for a look, so that the end of stdin is seen at once
  tellers=
  while IFS= read -r ${knocks:+-t $patience_s} line; do
    [ "$line" ] || continue # it says that the operator is still there
    name=${line%% *}
    case $name in '' | *[!A-Za-z0-9]*) name=- ;; esac
    # Nothing but these characters gets near a command line; and a line must fit into PIPE_BUF, see above.
    case $line in *[!A-Za-z0-9:.,%+=_@\ -]*) set -- - - ;; *) set -- $line ;; esac
    if [ $# -ge 2 ] && [ ${#line} -le 4000 ] && well_formed "$@"; then
      [ "$2" != quit ] || { say "$1 end"; break; }
      case $2 in
        tcp | udp | icmp | scan | sweep) echo "do $line" >&3 ;;
        *) tell_of_host "$@" ;;
      esac
    else
      say "$name malformed $(printf %.100s "$line" | hexed)"
      [ $name = - ] || say "$name end"
    fi
  done
  kill -9 0
}

tell_of_host() { # A run reads tables while hundreds of looks are begun, which takes a busy machine seconds: the engine could not even hear of it.
  start perform "$@"
  set -- $!
  for each in $tellers; do # the machine counts who has ended until somebody has asked
    if read -r _ _ state _ </proc/$each/stat && [ $state != Z ]; then set -- "$@" $each; else wait $each; fi
  done 2>/dev/null
  tellers=$*
}

echo
say "FLOWPROOF-1 sh uid=$(id -u) "
exec 4<&0
: | {
  exec 3<>/proc/self/fd/0
  obey <&4 &
  exec 4<&-
  running=0 first=0 next=0 # running: processes
  while read -r what line; do
    case $what in
      do) eval "queued_$next=\$line" next=$((next + 1)) ;;
      done) wait "${line% *}"; running=$((running - ${line#* })) ;;
    esac
    while [ $first -lt $next ]; do
      eval "line=\$queued_$first"
      weigh $line
      [ $((running + weight)) -le $room ] || break
      unset "queued_$first"
      first=$((first + 1)) running=$((running + weight))
      start take_turn $line
    done
  done
}
