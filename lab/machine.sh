#!/bin/sh
# Becomes a machine. up.ts starts it in the machine's network namespace and in mount, uts
# and ipc namespaces of its own. All it mounts is private and vanishes with the last
# process inside, so a kill -9 at any line leaves no mount behind.
#   machine.sh NAME ROOT FRESH TINI CAPABILITIES [FOLDER…]
# ROOT is the read-only root file system, FRESH a folder with the keys made at this `up`;
# a FOLDER is shared with the host, the first for writing, the others for reading.
set -eu
name=$1 lower=$2 fresh=$3 tini=$4 capabilities=$5
shift 5

machines=$(dirname "$0")/machines
stage=/run/flowproof/stage
mount -t tmpfs -o mode=755 tmpfs "$stage"
cd "$stage"
mkdir upper work root
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$stage/upper,workdir=$stage/work" root
cd root

mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm dev/net
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
while read -r node major minor; do mknod -m 666 "dev/$node" c "$major" "$minor"; done <<NODES
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
net/tun 10 200
NODES
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for fd in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${fd%:*}" "dev/${fd#*:}"; done

# The operator sees the host's files, but for its home.
if [ "$lower" = / ]; then mount -t tmpfs -o mode=700 tmpfs root; fi
share() { mkdir -p ".$1"; mount --bind ${2:+-o "$2"} "$1" ".$1"; }
if [ $# -gt 0 ]; then
  writable=$1
  shift
  for folder in "$@"; do share "$folder" ro; done
  share "$writable"
fi

# What a login gets on a real VM; on the operator's seat the host's own limit holds.
if [ "$lower" != / ]; then ulimit -S -n 1024; fi
hostname "$name"
mkdir -p run/sshd etc
printf '%s\n' "$name" >etc/hostname
rm -f etc/hosts etc/resolv.conf # on a host either may be a link to nowhere
printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost\n' "$name" >etc/hosts
umask 022
for tree in all "${name%%[0-9]*}"; do # vm12 is one of the vm
  # The operator is the host's own system: no server's settings for it.
  if [ "$tree" = all ] && [ "$lower" = / ]; then continue; fi
  cp -R --remove-destination "$machines/$tree/." .
done
cp -R --remove-destination --preserve=mode,ownership "$fresh/." .
cp "$tini" run/tini

# From here on in a pid namespace; then the host's files go out of sight for good.
# shellcheck disable=SC2016 — for the inner shell
exec unshare --pid --fork sh -euc '
  mount -t proc -o nosuid,nodev,noexec proc proc
  mount --bind proc/sys proc/sys
  mount --bind proc/sys/net proc/sys/net
  mount -o remount,bind,ro proc/sys
  [ ! -e proc/sysrq-trigger ] || mount --bind dev/null proc/sysrq-trigger
  pivot_root . mnt
  cd /
  umount -l /mnt
  exec setpriv --bounding-set "$1" /run/tini -- \
    sh -c "sh -e /etc/rc.local && touch /run/booted; exec tail -f /dev/null" >/var/log/boot.log 2>&1
' sh "$capabilities"
