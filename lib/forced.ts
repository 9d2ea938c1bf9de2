// A forced command of sshd that is flowproof's prober and nothing else: what a key may do whose line in authorized_keys names
// it. The prober's program comes on stdin, so the script pins it by its SHA-256; and the command that asks for it, too. Pure
// but for the program's own files.
import { sha256 } from './hash.ts';
import { program } from './prober/program.ts';
import { bootCommand, clientCommand, lifetimeS } from './boot.ts';

/** Where the script lies on a host, owned by root. */
export const forcedPath = '/usr/local/libexec/flowproof-prober';
/** Its exit code for all that it refuses. */
export const refusedCode = 126;

/** What stands for the mark, which each login draws anew, when the command is hashed. */
const anyMark = 'MARK';

/** What of the sh program is run: all before its end mark. */
const beforeEnd = (bytes: Buffer): string => bytes.toString('utf8').replace(/#END\n$/, '');

/**
 * The script, for a host with python3 or with sh and nc.
 * @param beacon whether it also tells the client's own address, which flowproof asks of beacons alone
 */
export function forcedScript(version: string, beacon: boolean): string {
  const python = program('python');
  return `#!/bin/sh
# flowproof's prober and nothing else, for a forced command of sshd: docs/least-privilege.md. Made by flowproof ${version};
# the program of a version whose prober is another is refused: then make this file anew.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
umask 077
refuse() { echo "flowproof-prober: refused: $1" >&2; exit ${refusedCode}; }

asked=\${SSH_ORIGINAL_COMMAND-}
${beacon ? `if [ "$asked" = '${clientCommand}' ]; then printf '%s\\n' "\${SSH_CLIENT-}"; exit 0; fi\n` : ''}unset SSH_ORIGINAL_COMMAND
mark=\${asked##*FLOWPROOF-BOOT }
mark=\${mark%% none*}
case $mark in '' | *[!0-9a-f]*) refuse 'this key starts the prober alone' ;; esac
[ \${#mark} = 16 ] || refuse 'this key starts the prober alone'
hash=$(printf '%s\\n' "$asked" | sed "s/$mark/${anyMark}/g" | sha256sum)
[ "\${hash%% *}" = ${sha256(`${bootCommand(anyMark)}\n`)} ] || refuse 'this key starts the prober alone, as flowproof ${version} does'

if command -v python3 >/dev/null 2>&1; then
  printf '\\nFLOWPROOF-BOOT %s python\\n' "$mark"
  exec timeout -k 5 ${lifetimeS} python3 -I -c '
import hashlib, os
n, b = ${python.length}, b""
while len(b) < n:
    c = os.read(0, n - len(b))
    if not c:
        os._exit(0)
    b += c
if hashlib.sha256(b).hexdigest() != "${sha256(python)}":
    os.write(2, b"flowproof-prober: refused: not the program of flowproof ${version}\\n")
    os._exit(${refusedCode})
exec(compile(b, "prober", "exec"))'
elif command -v nc >/dev/null 2>&1; then
  printf '\\nFLOWPROOF-BOOT %s sh\\n' "$mark"
  exec timeout -k 5 ${lifetimeS} sh -c 'p=; while IFS= read -r l; do [ "$l" = "#END" ] && break; p="$p$l
"; done
hash=$(printf %s "$p" | sha256sum)
[ "\${hash%% *}" = ${sha256(beforeEnd(program('sh')))} ] || { echo "flowproof-prober: refused: not the program of flowproof ${version}" >&2; exit ${refusedCode}; }
eval "$p"'
else
  printf '\\nFLOWPROOF-BOOT %s none\\n' "$mark"
fi
`;
}

/** Lets the user run the script as root, without an argument, and nothing else. */
export function sudoersLines(user: string): string {
  return `Defaults!${forcedPath} env_keep += "SSH_ORIGINAL_COMMAND SSH_CLIENT"\n${user} ALL=(root) NOPASSWD: ${forcedPath} ""\n`;
}

/**
 * The line for authorized_keys.
 * @param key the public key, as ssh-keygen writes it
 * @param forwardsTo of the gateway: each host behind it as `address:port`, which it may forward to; none elsewhere
 */
export function authorizedKey(key: string, { user, forwardsTo }: Readonly<{ user: string; forwardsTo: readonly string[] }>): string {
  const command = user === 'root' ? forcedPath : `sudo -n ${forcedPath}`;
  // sshd knows no word for "no remote forwarding, but local": one port of the loopback network that nobody uses is next to it.
  const forwarding = forwardsTo.length === 0 ? [] : ['port-forwarding', ...forwardsTo.map((place) => `permitopen="${place}"`), 'permitlisten="127.86.70.80:1"'];
  return `restrict,${[...forwarding, `command="${command}"`].join(',')} ${key.trim()}\n`;
}

/** A public key alone on its line: no options, no control characters, nothing that would begin a second line. */
export function isPublicKey(text: string): boolean {
  return /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) [A-Za-z0-9+/]+={0,2}( [\x20-\x7E]*)?$/.test(text.trim());
}

/** A login's name as it may stand in sudoers, where some characters mean more. */
export function isUserName(text: string): boolean {
  return /^[a-z_][a-z0-9_-]{0,31}$/.test(text);
}
