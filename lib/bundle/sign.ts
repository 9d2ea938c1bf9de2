// Signs a run's manifest with an SSH key, by OpenSSH's own ssh-keygen, and checks such a signature.
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../model.ts';

/** Signatures for other uses of the same key (git, files) are none of ours. */
const namespace = 'flowproof';
/** A signed report says when it was; a clock that is further off than this would make it say something else. */
const clockLimitMs = 10_000;

/** @throws Error with ssh-keygen's own words; an encrypted key is asked of the agent alone, never at the terminal */
export function signatureOf(key: string, text: Buffer | string): string {
  const { status, stdout, said } = keygen(['-Y', 'sign', '-n', namespace, '-P', '', '-f', key], text);
  if (status !== 0 || !stdout.startsWith('-----BEGIN SSH SIGNATURE-----')) throw new Error(`FLOWPROOF_SIGN_KEY is ${key}, and ssh-keygen cannot sign with it (${said}); name a private key, or the public key of one that the agent holds`);
  return stdout;
}

/**
 * Writes manifest.json.sig.
 * @param clock what the run found of the local clock
 * @throws Error if the clock is off, or unknown, or the key does not sign
 */
export function signRun(folder: string, key: string, clock: Clock | null): void {
  if (clock === null) throw new Error('not signed: no time server that the matrix allows has answered, so nothing says that the local clock is right');
  if (Math.abs(clock.offsetMs) - clock.withinMs > clockLimitMs) throw new Error(`not signed: the local clock is ${clock.offsetMs} ms off by ${clock.cell}, more than ${clockLimitMs} ms; set it and run again`);
  const file = join(folder, 'manifest.json.sig');
  try {
    writeFileSync(`${file}.part`, signatureOf(key, readFileSync(join(folder, 'manifest.json'))));
    renameSync(`${file}.part`, file);
  } finally {
    rmSync(`${file}.part`, { force: true });
  }
}

/**
 * Whether one of the allowed signers made the manifest's signature for it as it stands.
 * @param signers a file as in ssh-keygen(1), ALLOWED SIGNERS
 * @returns the signer's name there
 * @throws Error that says why not
 */
export function signerOf(folder: string, signers: string, file = 'manifest.json'): string {
  const signature = join(folder, `${file}.sig`);
  const found = keygen(['-Y', 'find-principals', '-s', signature, '-f', signers], '');
  const [principal = ''] = found.stdout.split('\n');
  if (found.status !== 0 || principal === '') throw new Error(`${file}.sig: by none of the signers in ${signers} (${found.said})`);
  const { status, said } = keygen(['-Y', 'verify', '-n', namespace, '-f', signers, '-I', principal, '-s', signature], readFileSync(join(folder, file)));
  if (status !== 0) throw new Error(`${file}.sig: not ${principal}'s for ${file} as it stands (${said})`);
  return principal;
}

function keygen(args: readonly string[], input: Buffer | string): Readonly<{ status: number | null; stdout: string; said: string }> {
  const { status, stdout, stderr, error } = spawnSync('ssh-keygen', args, { input, encoding: 'utf8', timeout: 30_000, env: { ...process.env, SSH_ASKPASS_REQUIRE: 'never' } });
  const words = error?.message ?? stderr.trim().split('\n').map((line) => line.trim()).join('; ');
  return { status, stdout: stdout ?? '', said: words === '' ? `exit code ${status}` : words };
}
