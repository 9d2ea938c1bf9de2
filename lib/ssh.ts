// A session on a host, through the gateway. The only file that imports ssh2.
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import type { AnyAuthMethod, MacAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';
import { connectFromHere, connectThrough } from './connect.ts';
import { sha256 } from './hash.ts';
import type { Login } from './login.ts';
import type { Failure, Outcome } from './model.ts';

export type Session = Readonly<{
  login: Login;
  /** Fingerprint of the key that the host showed, as ssh prints it. */
  hostKey: string;
  /** Runs a command; its stdin and stdout are the stream. */
  exec(command: string): Promise<Duplex>;
  /** A TCP connection from that host to another. */
  forward(host: string, port: number): Promise<Duplex>;
  end(): void;
  /** Resolves when the session ends, whoever ends it. */
  closed: Promise<string>;
}>;

/** Why there is no session, and what the attempt saw of the flow to that host's SSH port. */
export type NoSession = Readonly<{ failure: Failure; outcome: Outcome; stalled?: boolean }>;

/**
 * Not a byte for so long, and the login is begun anew. TCP's pauses double from 0.2 s on: where 0.36 of the round trips are
 * lost, one in 500 flights stalls for longer, and a login has some twenty. sshd's MaxStartups bears the one left behind.
 */
const stalledMs = 10_000;
const mostLogins = 3;
/** And no longer than this, however much the far end says. */
const loginMs = 60_000;
/** For a session to say anything at all. */
const sessionMs = 30_000;
/** Of a shell that may not run it, and of our own forced command (forced.ts). */
const refusedCode = 126;
const withoutSha1: MacAlgorithm[] = ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'];
/** A dead path is known after fifteen of these: at the loss above, one flight in 3,500 stalls for 25 s, one in 10,000 for 51 s. */
const keepalive = { intervalMs: 3_000, most: 15 } as const;

/**
 * Logs in with the keys and the agent that `ssh` would use; host keys are compared with those on file, byte for byte.
 * @param through the gateway's session; null: straight from here
 */
export async function openSession(login: Login, through: Session | null): Promise<Session | NoSession> {
  for (let left = mostLogins; ; left -= 1) {
    const session = await logIn(login, through);
    if (!('failure' in session) || session.stalled !== true || left === 1) return session;
  }
}

async function logIn(login: Login, through: Session | null): Promise<Session | NoSession> {
  const client = new ssh2.Client();
  let sock: Duplex;
  try {
    sock = through === null ? await connectFromHere(login) : await connectThrough(login, through);
  } catch (error) {
    return through === null ? loginFailure(login, error as Error, { spoke: false, known: false, direct: true }) : forwardFailure(login, error as Error);
  }
  let shown: string | null = null;
  let spoke = false;
  const hostVerifier = (key: Buffer): boolean => {
    spoke = true;
    if (!login.hostKeys.some((pinned) => pinned.key.equals(key))) return false;
    shown = `SHA256:${sha256(key, 'base64').replace(/=+$/, '')}`;
    return true;
  };
  return new Promise((resolve) => {
    const stalled = (): void => {
      resolve({ ...loginFailure(login, new Error(`silent for ${stalledMs / 1000} s in the middle of the login`), { spoke, known: shown !== null, direct: false }), stalled: true });
      client.destroy();
    };
    const deadline = Date.now() + loginMs;
    let timer = setTimeout(stalled, stalledMs);
    const closed = new Promise<string>((end) => client.on('close', () => end('the SSH session ended')));
    client.on('error', (error) => resolve(loginFailure(login, error, { spoke, known: shown !== null, direct: through === null })));
    client.on('close', () => resolve(loginFailure(login, new Error('closed before it was ready'), { spoke, known: shown !== null, direct: through === null })));
    // A forwarded connection can be half closed; ssh2 then ends its keepalives and waits for the other half for ever.
    client.on('end', () => client.destroy());
    client.on('close', () => clearTimeout(timer));
    client.on('ready', () => {
      sock.off('data', heard);
      clearTimeout(timer);
      client.setNoDelay(true); // Nagle's algorithm would cost 40 ms for each line to the prober
      resolve({ login, hostKey: shown ?? '', closed, end: () => client.end(), exec: (command) => inTime(exec(client, login, command)), forward: (host, port) => forward(client, host, port) });
    });
    const heard = (): void => {
      clearTimeout(timer);
      timer = setTimeout(stalled, Math.min(stalledMs, deadline - Date.now()));
    };
    try {
      client.connect({
        sock,
        username: login.user,
        authHandler: authMethods(login),
        ...(login.agent === null ? {} : { agent: login.agent }),
        hostVerifier,
        algorithms: { serverHostKey: login.hostKeys.flatMap(({ type }) => algorithmsFor(type)), hmac: withoutSha1 },
        readyTimeout: 0,
        keepaliveInterval: keepalive.intervalMs,
        keepaliveCountMax: keepalive.most,
      });
      sock.on('data', heard);
    } catch (error) {
      clearTimeout(timer);
      resolve(loginFailure(login, error as Error, { spoke, known: false, direct: through === null })); // bad keys throw at once
    }
  });
}

/** ssh2 offers its own order else, and a known host could look unknown. */
function algorithmsFor(type: string): ServerHostKeyAlgorithm[] {
  return type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type as ServerHostKeyAlgorithm];
}

function authMethods({ user, agent, identityFiles }: Login): AnyAuthMethod[] {
  const agentMethod: AnyAuthMethod[] = agent === null ? [] : [{ type: 'agent', username: user, agent }];
  const keys = identityFiles.flatMap((file): AnyAuthMethod[] => {
    const content = readFileSync(file);
    // Encrypted keys and PKCS#8 do not parse here: those are the agent's business.
    return ssh2.utils.parseKey(content) instanceof Error ? [] : [{ type: 'publickey', username: user, key: content }];
  });
  return [...agentMethod, ...keys];
}

/** Why a key file is of no use to us; null: it is one that we can log in with. */
export function keyFault(file: string): string | null {
  try {
    const parsed = ssh2.utils.parseKey(readFileSync(file));
    return parsed instanceof Error ? parsed.message : null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The stream breaks with a sentence where the session or the command ends by itself, since it knows neither. */
function exec(client: ssh2.Client, { name }: Login, command: string): Promise<Duplex> {
  let broke: string | null = null;
  client.on('error', (error) => (broke = error.message));
  return new Promise((resolve, reject) => {
    const opened = (channel: ssh2.ClientChannel): void => {
      const tell = (sentence: string): void => void channel.emit('error', new Error(sentence));
      channel.on('error', () => undefined); // nobody may listen yet, or any more
      channel.on('exit', (code: number | null, signal?: string) => {
        if (code === refusedCode) tell(`the forced command on ${name} refuses this prober: it is another version's. Make it anew: npm run prober -- forced-command ${name}`);
        else if (code !== 0) tell(`it ended on ${name} with ${code === null ? `signal ${signal}` : `exit code ${code}`}: killed, or out of memory? Look into the log there, then run again`);
      });
      client.on('close', () => tell(`the SSH session on ${name} ended${broke === null ? '' : ` (${broke})`}: is the machine up, and its sshd? Try: ssh ${name}, then run again`));
      resolve(channel);
    };
    try {
      client.exec(command, (error, channel) => (error ? reject(error) : opened(channel)));
    } catch (error) {
      reject(error); // a closed client throws instead of calling back
    }
  });
}

function forward(client: ssh2.Client, host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    try {
      client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => (error ? reject(error) : resolve(channel)));
    } catch (error) {
      reject(error);
    }
  });
}

/** An sshd may let us in and then say nothing for ever. */
function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('timed out')), sessionMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** RFC 4254, section 5.1: administratively prohibited, as against a connect that failed. OpenSSH's text for it says nothing. */
const prohibited = 1;

/** What sshd says of a forward that came to nothing is the text of its own connect's errno. */
function forwardFailure(login: Login, error: Error & { reason?: unknown }): NoSession {
  const text = error.message.replace(/^.*Channel open failure: /, '');
  const failure = (cause: string): Failure => ({ operation: 'login', cause });
  const at = `${login.name}'s SSH (${login.hostName} port ${login.port})`;
  if (/Connection refused/i.test(text)) return { failure: failure(`${at} refuses the connection: is sshd running there? Start it at the console`), outcome: { seen: 'refused', by: 'rst' } };
  if (/timed out/i.test(text))
    return { failure: failure(`${at} does not answer through the gateway: a firewall, or the machine is down; on the gateway try: nc -v ${login.hostName} ${login.port}`), outcome: { seen: 'silent' } };
  if (/No route to host|unreachable/i.test(text)) return { failure: failure(`${at} is not there (${text}): is the machine up, with that address?`), outcome: { seen: 'dead', detail: text } };
  const unknown = failure(
    error.reason === prohibited
      ? `the gateway's sshd refuses forwarding to ${at}: set AllowTcpForwarding yes (and PermitOpen, if it is there) in its sshd_config, and reload it`
      : `the gateway could not connect to ${at}: ${text}`,
  );
  return { failure: unknown, outcome: { seen: 'unprobed', failure: unknown } };
}

type Progress = Readonly<{ spoke: boolean; known: boolean; direct: boolean }>;

function loginFailure(login: Login, error: Error & { code?: string; level?: string }, { spoke, known, direct }: Progress): NoSession {
  const at = `${login.name} (${login.hostName} port ${login.port})`;
  const failure = (cause: string): Failure => ({ operation: 'login', cause });
  if (spoke && !known) {
    const changed = failure(`the host key of ${at} is not the one on file: somebody in between, or a machine made anew. Compare it at its console before you mend known_hosts`);
    return { failure: changed, outcome: { seen: 'unprobed', failure: changed } };
  }
  if (known) {
    const cause = error.level === 'client-authentication' ? `${at} accepts none of our keys for user ${login.user}: put one into its authorized_keys, or the right one into the agent; then try: ssh ${login.name}` : `${at}: ${error.message}`;
    return { failure: failure(cause), outcome: { seen: 'answered', detail: `SSH with the known host key (then: ${error.message})`, rttMs: null } };
  }
  if (direct && error.code === 'ECONNREFUSED') return { failure: failure(`${at} refuses the connection: is sshd running there? Start it at the console`), outcome: { seen: 'refused', by: 'rst' } };
  if (direct && (error.code === 'ETIMEDOUT' || /timed out/i.test(error.message))) return { failure: failure(`${at} does not answer: a firewall, or the machine is down; try: ssh ${login.name}`), outcome: { seen: 'silent' } };
  if (direct && (error.code === 'EHOSTUNREACH' || error.code === 'ENETUNREACH')) return { failure: failure(`${at} is not there (${error.code}): is the machine up, with that address?`), outcome: { seen: 'dead', detail: error.code } };
  const unknown = failure(`${at}: ${error.message}`);
  return { failure: unknown, outcome: { seen: 'unprobed', failure: unknown } };
}
