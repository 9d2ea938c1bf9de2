#!/bin/sh
# Makes /alpine: a machine whose userland is busybox, as Alpine's is, and beside it only
# the daemons and firewall tools that run it. Runs inside a throw-away Debian.
# busybox is built from Debian's source package, since Debian's binary lacks the nc
# that Alpine has (NC_110_COMPAT: -z, -w, -s, -p and the rest).
set -eu
export DEBIAN_FRONTEND=noninteractive

# What busybox switches on by default and Alpine does not have.
not_in_alpine='AR|UNCOMPRESS|DPKG|DPKG_DEB|RPM|RPM2CPIO|FEATURE_DATE_NANO|WHO|W|USERS|LAST|LOGNAME'
not_in_alpine="$not_in_alpine|CHAT|DEVMEM|I2CGET|I2CSET|I2CDUMP|I2CDETECT|I2CTRANSFER|MAN|MT|RUNLEVEL|RX|LSSCSI"
not_in_alpine="$not_in_alpine|DNSD|FTPD|FTPGET|FTPPUT|HTTPD|INETD|FAKEIDENTD|IFPLUGD|TCPSVD|UDPSVD|TELNET|TELNETD"
not_in_alpine="$not_in_alpine|TFTP|TFTPD|ZCIP|UDHCPD|DHCPRELAY|LPD|LPR|LPQ|POPMAILDIR|SCRIPT|SCRIPTREPLAY|TC"
not_in_alpine="$not_in_alpine|CHPST|SETUIDGID|ENVUIDGID|ENVDIR|SOFTLIMIT|RUNSV|RUNSVDIR|SV|SVC|SVLOGD|HUSH|CTTYHACK"
not_in_alpine="$not_in_alpine|TASKSET|CHRT|SETARCH|UEVENT|WALL|BOOTCHARTD|LINUXRC|SULOGIN|START_STOP_DAEMON|MKE2FS"

sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >/etc/apt/sources.list.d/source.list
apt-get -qq update
apt-get -qq -y install gcc libc6-dev make bzip2 >/dev/null
cd /tmp
apt-get -qq source --download-only busybox
tar -xjf busybox_*.orig.tar.bz2
cd busybox-*/
make -s defconfig >/dev/null
sed -i -E \
  -e "s/^CONFIG_($not_in_alpine)=y/# CONFIG_\\1 is not set/" \
  -e 's/^# CONFIG_(STATIC|NC_110_COMPAT) is not set/CONFIG_\1=y/' .config
yes '' | make -s oldconfig >/dev/null 2>&1
make -s -j"$(nproc)" >/tmp/make.log 2>&1 || { tail -n 30 /tmp/make.log >&2; exit 1; }

cd /alpine
mkdir -p usr/bin usr/sbin usr/lib usr/lib64 etc/ssh root run tmp var/log var/lib/chrony var/empty proc sys dev mnt
chmod 700 root && chmod 1777 tmp
for name in bin sbin lib lib64; do ln -s "usr/$name" "$name"; done
make -s -C /tmp/busybox-*/ CONFIG_PREFIX=/alpine install >/dev/null 2>&1

keep='/usr/sbin/sshd /usr/lib/openssh/sftp-server /usr/sbin/chronyd /usr/bin/chronyc /usr/sbin/nft
  /usr/sbin/conntrack /usr/sbin/xtables-nft-multi /usr/bin/tini-static /usr/bin/setpriv'
extensions=$(find /usr/lib -path '*/xtables/*.so')
libraries=$(for file in $keep $extensions; do ldd "$file" 2>/dev/null || true; done | grep -o '/[^ ]*' | sort -u)
# shellcheck disable=SC2086 — lists of paths without spaces
cp -L --parents --remove-destination $keep $extensions $libraries .
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  ln -sf xtables-nft-multi "usr/sbin/$name"
done

cp /etc/services /etc/protocols /etc/nsswitch.conf etc/
cp /etc/ssh/moduli etc/ssh/
grep -E '^(root|sshd|_chrony|nobody):' /etc/passwd | sed -E 's#^(root:.*):[^:]*$#\1:/bin/ash#' >etc/passwd
grep -E '^(root|_chrony|nogroup|tty):' /etc/group >etc/group
grep -E '^(root|sshd|_chrony|nobody):' /etc/shadow >etc/shadow
chmod 640 etc/shadow
echo /bin/ash >etc/shells
chown _chrony:_chrony var/lib/chrony
