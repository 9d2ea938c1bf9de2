# What the kernel counts, and how the host is held for one run.
resets() { # id: by the column's name, as kernels add columns
  id=$1 names= count=
  while read -r label line; do
    [ "$label" = Tcp: ] || continue
    [ "$names" ] || { names=$line; continue; }
    set -- $line
    for name in $names; do
      [ $name != OutRsts ] || count=${1-}
      shift
    done
  done 2>/dev/null </proc/net/snmp
  if [ "$count" ]; then printf %s "$count" | fact resets; else say "$id unprobed ENOENT resets"; fi
}

lock() { # id: nc holds the port, in our process group, and so ends with us
  id=$1
  exec 5<>/proc/self/fd/0
  nc -lk -s 127.86.70.80 -p 16176 </dev/null >/dev/null 2>&5 3>&- 5>&- &
  pid=$!
  {
    naps=0 state_of_lock=lost
    # One that cannot have the port ends and never sleeps; one that sleeps while the port is open waits for guests.
    while read -r _ name state _ </proc/$pid/stat && [ $naps -lt 1500 ]; do # 30 s
      case $name$state in
        "$shell"? | *R | *D) ;;
        *Z) break ;;
        *) ! grep -qE ' (5046567F|7F564650):3F30 0+:0+ 0A ' /proc/net/tcp || { state_of_lock=held; break; } ;;
      esac
      naps=$((naps + 1))
      sleep 0.02
    done
    say $state_of_lock
  } >&5 &
  read -r line <&5
  case $line in
    held)
      echo held | tr -d '\n' | fact lock
      return
      ;;
    "nc: bind"* | "nc: listen"* | "nc: socket"*) errno_of "$line" ;;
    *": not found") errno=ENOENT ;;
    *) errno=EAGAIN ;;
  esac
  kill -9 $pid
  say "$1 unprobed $errno lock"
}
