#!/bin/sh
# Makes every key of one estate, afresh, into a folder tree per machine under /mnt, as keys.sh does for the usual lab.
# Its arguments: NAME ADDRESS NAME ADDRESS …
set -eu
umask 077
cd /mnt
mkdir -p operator/root/.ssh
ssh-keygen -q -t ed25519 -N '' -C operator -f operator/root/.ssh/id_ed25519
while [ $# -gt 0 ]; do
  mkdir -p "$1/etc/ssh" "$1/root/.ssh"
  ssh-keygen -q -t ed25519 -N '' -C "root@$1" -f "$1/etc/ssh/ssh_host_ed25519_key"
  echo "$2 $(cut -d' ' -f1,2 "$1/etc/ssh/ssh_host_ed25519_key.pub")" >>operator/root/.ssh/known_hosts
  cp operator/root/.ssh/id_ed25519.pub "$1/root/.ssh/authorized_keys"
  shift 2
done

# internet's web server wants a certificate; nothing in the estate asks for it.
mkdir -p internet/etc/nginx
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=internet' \
  -keyout internet/etc/nginx/server.key -out internet/etc/nginx/server.crt 2>/dev/null
# These folders exist in the root file systems and are everyone's to enter.
chmod 755 ./* ./*/etc ./*/etc/ssh internet/etc/nginx
chmod 700 ./*/root
