# What nc and ping say, as musl (Alpine) and as glibc put it, and what of it is an event.
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

# No process is made for an event: where most looks are barred, they would be half of all.
fault() { # operation, nc's line -> event: the try's error, or that we could not look; empty: it says nothing yet
  event=
  errno_of "$2"
  case $errno/$1 in
    EMFILE/* | ENFILE/* | ENOMEM/* | ENOBUFS/* | EAGAIN/* | EADDRINUSE/* | */bind) event="unprobed $try $errno $1" ;;
    # No IPv6 address here; but for IPv4 or with a source port of ours it is that port which is taken.
    EADDRNOTAVAIL/*) case $sport$address in 0*:*) event="error $try $errno $1" ;; *) event="unprobed $try $errno $1" ;; esac ;;
    # A prohibit route; but a broadcast address too, whose answers have another sender than nc would take.
    EACCES/connect) case $(ip route get "$address") in broadcast*) event="unprobed $try $errno $1" ;; *) event="error $try $errno $1" ;; esac ;;
    ETIMEDOUT/*) ;; # nc's own limit: silence
    UNKNOWN/*) event="error $try $errno $1 $(printf %.200s "$2" | hexed)" ;;
    *) event="error $try $errno $1" ;;
  esac
}

blame() {
  fault "$@"
  [ -z "$event" ] || echo "$event"
}

tell() { # stdin: what nc or ping writes -> events of the try
  answer= said=
  while read -r line; do
    case $line in "pid "*) ;; *) said=yes ;; esac
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
        if [ $((${line##* } * 2)) = ${#answer} ]; then echo "data $try $answer $((now - start)) $address"; else blame read "$line"; fi
        ;;
      "> "* | "punt!" | "net timeout") ;;
      # 8,200 writes in a row have failed, but nc does not say of what. Its scan mode does.
      "nc: too many output retries") nc -nuzvv -w 1 $from "$address" "$port" </dev/null 2>&1 | { read -r line && blame send "$line"; } ;;
      "nc: net read: "*) blame read "$line" ;;
      "nc: bind"*) blame bind "$line" ;;
      "nc: socket"*) blame socket "$line" ;;
      *": bad address "*) echo "unprobed $try EINVAL address" ;;
      *": not found") echo "unprobed $try ENOENT nc" ;;
      "nc: $address ("*) blame connect "$line" ;;
      *" bytes from "*)
        now
        line=${line#* bytes from }
        echo "data $try - $((now - start)) ${line%%: *}"
        ;;
      "ping: sendto: "*) blame send "$line" ;;
      "ping: permission denied"*) echo "unprobed $try EPERM socket" ;;
      "PING "* | "" | "--- "* | *" packets transmitted"* | "round-trip "*) ;;
      *) blame nc "$line" ;;
    esac
  done
  # One that has ended without a word may have been killed before it sent; those with a source port of ours we kill ourselves, and others' handshakes.
  [ "$said" ] || [ $kind = tcp ] || [ $sport != 0 ] || echo "unprobed $try EAGAIN nc"
  echo "gone $try"
}
