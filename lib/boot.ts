// The command that starts a prober on a host, over SSH or here.
import { program } from './prober/program.ts';

/** The prober ends by itself when its stdin does; this is for a connection that died without a word (30 min > any run). */
export const lifetimeS = 1_800;

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** sshd tells a command who called: `address port port`. */
export const clientCommand = 'printf "%s\\n" "$SSH_CLIENT"';

/**
 * The command that starts a prober: python3 where there is one, else sh with nc; as root where sudo lets us without a
 * password. The program itself follows on stdin, so nothing is written on the host.
 * @param mark fresh random letters and digits, by which its first line is known from whatever a profile prints
 */
export function bootCommand(mark: string): string {
  const bytes = program('python').length;
  const python = `import os;n=${bytes};b=b""\nwhile len(b)<n:\n c=os.read(0,n-len(b))\n if not c: os._exit(0)\n b+=c\nexec(compile(b,"prober","exec"))`;
  const shell = `p=; while IFS= read -r l; do [ "$l" = "#END" ] && break; p="$p$l\n"; done; eval "$p"`.replace('\\n', '\n');
  const script = [
    'PATH=$PATH:/usr/sbin:/sbin; export PATH; as=',
    '[ "$(id -u)" = 0 ] || { sudo -n true </dev/null >/dev/null 2>&1 && as="sudo -n"; }',
    `if command -v python3 >/dev/null 2>&1; then printf '\\nFLOWPROOF-BOOT ${mark} python\\n'; exec $as timeout -k 5 ${lifetimeS} python3 -c ${quote(python)}`,
    `elif command -v nc >/dev/null 2>&1; then printf '\\nFLOWPROOF-BOOT ${mark} sh\\n'; exec $as timeout -k 5 ${lifetimeS} sh -c ${quote(shell)}`,
    `else printf '\\nFLOWPROOF-BOOT ${mark} none\\n'; fi`,
  ].join('\n');
  return `exec sh -c ${quote(script)}`;
}
