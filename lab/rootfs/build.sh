#!/bin/sh
# Builds the two root file systems under $1: debian (for mesh, joi, internet and the
# container) and alpine (for ntp and gateway). Runs in mount and pid namespaces of its
# own, so that whatever it mounts or starts is gone when it ends, however it ends.
set -eu
target=$1
recipe=$(dirname "$0")

# shellcheck disable=SC2016 — $1 is for the hook's own shell
mmdebstrap --quiet --mode=root --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
  --aptopt='Apt::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --include=openssh-server,openssh-client,sudo,nftables,iptables,ufw,conntrack,iproute2 \
  --include=chrony,nebula,dnsmasq-base,nginx-light,python3,busybox,netcat-openbsd \
  --include=iputils-ping,procps,tini,openssl,ca-certificates \
  --customize-hook='chroot "$1" useradd --create-home --shell /bin/bash --password "*" admin' \
  --customize-hook='echo "admin ALL=(ALL) NOPASSWD: ALL" >"$1/etc/sudoers.d/admin"' \
  --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/nginx/sites-enabled/default" "$1/etc/resolv.conf" "$1/etc/hostname"' \
  bookworm "$target/debian"

# A throw-away overlay: the compiler and the source never reach the root file system.
mkdir "$target/alpine" "$target/scratch"
mount -t tmpfs tmpfs "$target/scratch"
mkdir "$target/scratch/upper" "$target/scratch/work" "$target/scratch/root"
root=$target/scratch/root
mount -t overlay overlay -o "lowerdir=$target/debian,upperdir=$target/scratch/upper,workdir=$target/scratch/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p "$root/alpine"
mount --bind "$target/alpine" "$root/alpine"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cp "$recipe/alpine.sh" "$root/alpine.sh"
chroot "$root" /bin/sh /alpine.sh
