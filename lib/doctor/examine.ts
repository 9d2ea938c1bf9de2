// What was gathered -> one check for each thing that a run needs, with the mend and what is lost without it. Pure.
import { isFailure, operator } from '../facts.ts';
import type { Discovery, PlannedFlow } from '../model.ts';
import { costInWords, costNow, costOf, isBearable, planOf, type Cost } from './cost.ts';
import type { Check, Gathered, Inside, State, WayIn } from './gathered.ts';

/** In the order in which a run needs them: what comes later hangs on what comes before. */
export function examine(gathered: Gathered): readonly Check[] {
  const { inventory, waysIn, inside } = gathered;
  const { gateway } = inventory.site;
  const current = planOf(gathered, gathered.discovery);
  const touching = (host: string) => ({ flow }: PlannedFlow): boolean => flow.from === host || flow.to === host;
  const lostWithout = (concerns: (planned: PlannedFlow) => boolean): string | null => costInWords(costNow(current, gathered.discovery, concerns));
  const checks: Check[] = [node(gathered), reports(gathered)];
  const add = (what: string, host: string, state: State, detail: string, mend: string | null = null, cells: string | null = null): void => void checks.push({ what, host, state, detail, mend, cells });

  for (const way of waysIn) {
    const lost = lostWithout(touching(way.host));
    add('ssh settings', way.host, ...settings(way), isFailure(way.settings) ? lost : null);
    const usable = keyState(way);
    add('keys', way.host, ...usable, usable[0] === 'ok' ? null : lost);
    if (isFailure(way.hostKeys)) add('host key on file', way.host, 'missing', way.hostKeys.cause.split('; ')[0] ?? '', `compare the key at the machine's console, then log in once by hand: ssh ${nameOf(way)} true`, `the whole run (${current.flows.length} cells): nothing is sent`);
    else add('host key on file', way.host, 'ok', way.hostKeys.join(', '));
  }
  const forwards = forwarding(gathered);
  for (const one of inside) {
    const { host, login, failure, beacon } = one;
    const behind = !beacon && host !== gateway;
    const rest = ['prober', ...(beacon ? [] : ['root']), ...(host === operator ? [] : ['connection tracking']), ...(beacon || host === operator ? [] : ['raw packets and frames'])];
    const unasked = (whats: readonly string[], why: string): void => whats.forEach((what) => add(what, host, 'not asked', why));
    if (host === gateway) add('forwarding', host, ...forwards, forwards[0] === 'missing' ? lostWithout(({ flow }) => inside.some((other) => !other.beacon && other.host !== gateway && other.login !== null && [flow.from, flow.to].includes(other.host))) : null);
    if (failure?.operation === 'known-hosts') unasked(host === operator ? rest : ['login', ...rest], 'a host key is missing, so nothing was sent');
    else if (login !== null && behind && forwards[0] !== 'ok') unasked(['login', ...rest], 'no way in but by the gateway');
    else if (login !== null && (login.seen !== 'answered' || failure?.operation === 'login')) {
      add('login', host, ...split(failure?.cause ?? 'no session'), lostWithout(touching(host)));
      unasked(rest, 'there is no login');
    } else {
      if (login !== null) add('login', host, 'ok', 'detail' in login ? login.detail : '');
      if (failure === null) checks.push(...capabilities(gathered, one));
      else {
        add('prober', host, 'missing', failure.cause, proberMend(failure.cause, host), lostWithout(touching(host)));
        unasked(rest.slice(1), 'there is no prober');
      }
    }
  }
  const askers = inventory.matrix.flows.some(({ from, speaks, transport, temp }) => speaks === 'dns' && transport === 'udp' && (temp !== true || gathered.phase === 'setup') && inside.some(({ host, failure }) => host === from && failure === null));
  for (const [name, resolved] of Object.entries(gathered.discovery.names)) {
    const targets = Object.entries(inventory.site.targets).filter(([, target]) => target.names?.includes(name) === true).map(([target]) => target);
    if (!isFailure(resolved)) add('names', operator, 'ok', `${name}: ${resolved.join(', ')}`);
    else if (!askers) add('names', operator, 'not asked', `${name}: no host that a row allows DNS could be asked`);
    else add('names', operator, 'missing', resolved.cause, `mend the resolver of a host that a row allows DNS (there: getent hosts ${name}), or give the target addresses in the inventory`, lostWithout(({ flow }) => [name, ...targets].includes(flow.to) && flow.address === null));
  }
  return checks;
}

const nameOf = ({ host, settings: told }: WayIn): string => (isFailure(told) ? host : told.name);

function node({ node: version }: Gathered): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const suits = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  return { what: 'Node', host: operator, state: suits ? 'ok' : 'missing', detail: version, mend: suits ? null : 'install Node 20.19 or newer, or 22.12 or newer', cells: null };
}

function reports({ reports: fault }: Gathered): Check {
  return { what: 'reports folder', host: operator, state: fault === null ? 'ok' : 'missing', detail: fault ?? 'can be written', mend: fault === null ? null : 'mend the rights there, or set FLOWPROOF_REPORTS to another folder', cells: null };
}

type Told = readonly [state: State, detail: string, mend: string | null];

function settings({ host, settings: told }: WayIn): Told {
  if (isFailure(told)) return ['missing', told.cause, 'install the ssh client, and mend ~/.ssh/config where it names the line'];
  const { hostName, port, user, name } = told;
  // With no Host block ssh -G gives the name back, and would ask the operator's resolver for it.
  if (hostName === name) return ['missing', `${host}: HostName is ${hostName} itself`, `put "Host ${name}" with HostName (its address in the matrix), User and, behind the gateway, ProxyJump into ~/.ssh/config`];
  return ['ok', `${user}@${hostName} port ${port}`, null];
}

function keyState({ host, keys, agent }: WayIn): Told {
  const usable = keys.filter(({ fault }) => fault === null).map(({ file }) => file);
  const held = agent !== null && 'keys' in agent ? agent.keys : 0;
  if (usable.length + held > 0) return ['ok', [...usable, ...(held === 0 ? [] : [`agent: ${held}`])].join(', '), null];
  const why = [...keys.map(({ file, fault }) => `${file}: ${fault}`), agent === null ? 'no agent' : 'fault' in agent ? agent.fault : 'the agent holds no key'];
  return ['missing', why.join('; '), `make a key for it (ssh-keygen -t ed25519) and put the public half into authorized_keys on ${host}; one with a passphrase goes into the agent: ssh-add`];
}

/** Our own sentences end with their mend, behind the last colon. */
function split(cause: string): Told {
  const [what = cause, mend] = cause.split(/: (?=[^:]*$)/);
  return ['missing', what, mend ?? 'try ssh by hand'];
}

/** The gateway forwards if its sshd so much as tried: what a forward came to behind it is the other host's own. */
function forwarding({ inventory, inside }: Gathered): Told {
  const { gateway } = inventory.site;
  const behind = inside.filter(({ host, beacon, login }) => !beacon && login !== null && host !== gateway);
  if (behind.length === 0) return ['ok', 'nothing is behind it', null];
  if (inside.find(({ host }) => host === gateway)?.login?.seen !== 'answered') return ['not asked', 'there is no login on the gateway', null];
  const through = behind.filter(({ login, failure }) => login?.seen !== 'unprobed' || /the host key of/.test(failure?.cause ?? ''));
  if (through.length > 0) return ['ok', `to ${through.map(({ host }) => host).join(', ')}`, null];
  return ['missing', split(behind[0]?.failure?.cause ?? '')[1], `set AllowTcpForwarding yes in its sshd_config (PermitOpen, and permitopen of the key, must name every host), and reload sshd`];
}

function proberMend(cause: string, host: string): string {
  if (/neither python3 nor nc/.test(cause)) return `install python3 on ${host} (apt-get install python3, apk add python3), or busybox's nc`;
  if (/another run/.test(cause)) return 'wait for its end';
  return `log in and try: python3 -c 1; a forced command must be that of this version (npm run prober -- forced-command ${host})`;
}

/** What the prober can do there, by what it is and whose rights it has; what hangs on root is told once, with root. */
function capabilities(gathered: Gathered, { host, beacon, prober, root, tracking }: Inside): readonly Check[] {
  const { discovery } = gathered;
  const check = (what: string, detail: string, missing: Readonly<{ mend: string; cost: Cost }> | null): Check =>
    ({ what, host, state: missing === null ? 'ok' : stateBy(missing.cost), detail, mend: missing?.mend ?? null, cells: missing === null ? null : costInWords(missing.cost) });
  const withHost = (...keys: readonly ('witnesses' | 'listeners' | 'privileged' | 'raw')[]): Discovery => ({ ...discovery, ...Object.fromEntries(keys.map((key) => [key, [...new Set([...discovery[key], host])]])) });
  const against = (richer: Discovery, poorer = discovery): Cost => costOf(gathered, richer, poorer);
  // The operator's seat is no witness, and sends no frames.
  const seat = host === operator;
  const python = seat ? (['listeners'] as const) : (['listeners', 'raw'] as const);

  const found = [check('prober', prober === 'python' ? 'python3' : 'sh with nc', null)];
  if (!beacon && !root) {
    const cost = against(withHost('privileged', ...(seat ? [] : (['witnesses'] as const)), ...(prober === 'python' ? python : [])));
    const lacking = check('root', 'no', { mend: `log in as root, or let sudo run the prober without a password (docs/least-privilege.md has the lines that allow nothing else)`, cost });
    const along = (what: string): Check => ({ ...lacking, what, detail: 'comes with root', mend: null, cells: null });
    return [...found, lacking, ...(seat ? [] : [along('connection tracking'), along('raw packets and frames')])];
  }
  if (!beacon) found.push(check('root', 'yes', null));
  if (seat) return found;
  const faults = tracking ?? ['it cannot be read'];
  const mend = tracking === null
    ? `load it there: modprobe nf_conntrack, and a rule with "ct state" in the firewall${beacon ? '; it needs root' : ''}`
    : 'put a rule with "ct state" into the firewall there for that family (table inet holds for both)';
  const blind: Discovery = { ...discovery, witnesses: discovery.witnesses.filter((name) => name !== host) };
  found.push(check('connection tracking', faults[0] ?? 'records', faults.length === 0 ? null : { mend, cost: against(withHost('witnesses'), blind) }));
  if (!beacon) found.push(check('raw packets and frames', discovery.raw.includes(host) ? 'yes' : 'sh with nc has none', discovery.raw.includes(host) ? null : { mend: `install python3 there (apt-get install python3, apk add python3)`, cost: against(withHost(...python)) }));
  return found;
}

const stateBy = (cost: Cost): State => (isBearable(cost) ? 'less' : 'missing');
