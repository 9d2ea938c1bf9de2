#!/bin/sh
# Makes every key and certificate of one lab, afresh, into a folder tree per machine
# under /mnt. Runs inside the Debian root file system, so that it needs no tool of the
# host's. Nothing of this outlives the lab.
set -eu
umask 077
cd /mnt
scratch=$(mktemp -d -p /mnt)
trap 'rm -rf "$scratch"' EXIT

# SSH: who the machines are, and who may log in. joi has two kinds of host key.
host_key() {
  mkdir -p "$1/etc/ssh"
  ssh-keygen -q -t "$2" -N '' -C "root@$1" -f "$1/etc/ssh/ssh_host_$2_key"
  echo "$3 $(cut -d' ' -f1,2 "$1/etc/ssh/ssh_host_$2_key.pub")" >>"$scratch/known_hosts"
}
host_key gateway ed25519 198.51.100.4
ssh-keygen -q -H -f "$scratch/known_hosts" 2>/dev/null # the gateway's entry is hashed, the others are plain
host_key mesh ed25519 172.22.22.1
host_key joi ed25519 172.22.22.2
host_key joi rsa 172.22.22.2
host_key ntp ed25519 172.22.22.3
host_key internet ed25519 198.51.100.1

mkdir -p operator/root/.ssh
ssh-keygen -q -t ed25519 -N '' -C operator -f operator/root/.ssh/id_ed25519
cp "$scratch/known_hosts" operator/root/.ssh/known_hosts
for home in mesh/home/admin joi/home/admin ntp/root gateway/root internet/root; do
  mkdir -p "$home/.ssh"
  cp operator/root/.ssh/id_ed25519.pub "$home/.ssh/authorized_keys"
done
for name in mesh joi; do
  chown -R admin:admin "$name/home/admin"
  chmod 755 "$name/home"
done

# Nebula: one authority, a group for each of the two.
nebula-cert ca -name lab -out-crt "$scratch/ca.crt" -out-key "$scratch/ca.key"
for member in mesh/10.42.0.1 joi/10.42.0.10; do
  name=${member%/*}
  mkdir -p "$name/etc/nebula"
  cp "$scratch/ca.crt" "$name/etc/nebula/ca.crt"
  nebula-cert sign -name "$name" -ip "${member#*/}/16" -groups "$name" \
    -ca-crt "$scratch/ca.crt" -ca-key "$scratch/ca.key" \
    -out-crt "$name/etc/nebula/host.crt" -out-key "$name/etc/nebula/host.key"
done

# TLS: one authority, a certificate for each server.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=flowproof lab' \
  -keyout "$scratch/tls.key" -out "$scratch/tls.crt" 2>/dev/null
certificate() {
  mkdir -p "$1/etc/nginx"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
    -addext "subjectAltName=$2" -addext 'basicConstraints=critical,CA:FALSE' \
    -CA "$scratch/tls.crt" -CAkey "$scratch/tls.key" \
    -keyout "$1/etc/nginx/server.key" -out "$1/etc/nginx/server.crt" 2>/dev/null
}
certificate mesh IP:10.42.0.1
certificate joi IP:10.42.0.10
certificate internet DNS:chat.signal.org,DNS:storage.signal.org,DNS:github.com,DNS:example.com,DNS:time.cloudflare.com,DNS:pool.ntp.org,IP:1.1.1.1,IP:8.8.8.8,IP:9.9.9.9
for name in mesh joi operator; do
  mkdir -p "$name/etc/ssl"
  cp "$scratch/tls.crt" "$name/etc/ssl/lab-ca.pem"
  chmod 644 "$name/etc/ssl/lab-ca.pem"
done
# These folders exist in the root file systems and are everyone's to enter.
chmod 755 */ */etc */etc/ssh */etc/ssl */etc/nginx 2>/dev/null || true
chmod 700 */root
