// What was gathered -> what is missing, with its mend and its cost; and the table of it.
import { expect } from 'chai';
import { examine } from '../../../lib/doctor/examine.ts';
import type { Gathered, Inside, State, WayIn } from '../../../lib/doctor/gathered.ts';
import { isWell, renderChecks } from '../../../lib/doctor/table.ts';
import type { Failure, Outcome } from '../../../lib/model.ts';
import { discovery, inventory, machines, without } from '../../fixtures/site.ts';

/** Without the ports that are only watched, since each check makes plans. */
const small = { ...inventory, site: { ...inventory.site, watch: { tcp: [], udp: [] } } };
const answered: Outcome = { seen: 'answered', detail: 'our own SSH login as root', rttMs: null };
const wayIn = (host: string): WayIn =>
  ({ host, settings: { name: host, hostName: '172.22.22.9', port: 22, user: 'root' }, keys: [{ file: '~/.ssh/id_ed25519', fault: null }], agent: null, hostKeys: ['ssh-ed25519'] });
const within = (host: string): Inside => ({ host, beacon: false, login: host === 'operator' ? null : answered, prober: 'python', root: true, failure: null, tracking: [] });
const all: Gathered = {
  inventory: small, phase: 'steady', node: '22.12.0', reports: null, waysIn: machines.map(wayIn), inside: [...machines, 'operator'].map(within),
  discovery: { ...discovery, listeners: [...machines, 'operator'], raw: machines }, warnings: [],
};
/** With one host's way in, or one host's inside, otherwise. */
const way = (host: string, over: Partial<WayIn>): Gathered => ({ ...all, waysIn: all.waysIn.map((one) => (one.host === host ? { ...one, ...over } : one)) });
const inside = (hosts: readonly string[], over: Partial<Inside>): Gathered => ({ ...all, inside: all.inside.map((one) => (hosts.includes(one.host) ? { ...one, ...over } : one)) });
const failed = (cause: string, operation: Failure['operation'] = 'login'): Partial<Inside> => {
  const failure: Failure = { operation, cause };
  return { failure, prober: null, root: false, tracking: null, login: { seen: 'unprobed', failure } };
};
const lessOf = (host: string, ...keys: readonly ('witnesses' | 'listeners' | 'privileged' | 'raw')[]): Gathered['discovery'] =>
  ({ ...all.discovery, ...Object.fromEntries(keys.map((key) => [key, all.discovery[key].filter((name) => name !== host)])) });
const behind = machines.filter((host) => host !== 'gateway');

describe('doctor: a site with all that a run needs', () => {
  const checks = examine(all);
  it('is well, and every check says so', () => {
    expect(checks.filter(({ state }) => state !== 'ok')).to.deep.equal([]);
    expect(isWell(checks)).to.equal(true);
  });
  it('is asked for each thing on each host', () => {
    for (const host of machines)
      expect(checks.filter((check) => check.host === host).map(({ what }) => what), host).to.include.members(['ssh settings', 'keys', 'host key on file', 'login', 'prober', 'root', 'connection tracking', 'raw packets and frames']);
    expect(checks.map(({ what }) => what)).to.include.members(['Node', 'reports folder', 'forwarding', 'names']);
  });
});

describe('doctor: what is missing', () => {
  const rows: readonly (readonly [sentence: string, gathered: Gathered, what: string, host: string, state: State, mend: RegExp | null, cells: RegExp | null])[] = [
    ['an old Node', { ...all, node: '20.18.3' }, 'Node', 'operator', 'missing', /20\.19/, null],
    ['an odd Node between', { ...all, node: '22.11.0' }, 'Node', 'operator', 'missing', /22\.12/, null],
    ['a folder for reports', { ...all, reports: 'EACCES' }, 'reports folder', 'operator', 'missing', /FLOWPROOF_REPORTS/, null],
    ['the ssh client', way('joi', { settings: { operation: 'known-hosts', cause: 'ssh -G joi: spawn ssh ENOENT' } }), 'ssh settings', 'joi', 'missing', /install the ssh client/, null],
    ['a Host block', way('joi', { settings: { name: 'joi', hostName: 'joi', port: 22, user: 'me' } }), 'ssh settings', 'joi', 'missing', /Host joi/, null],
    ['a key', way('joi', { keys: [] }), 'keys', 'joi', 'missing', /ssh-keygen/, null],
    ['a key without its passphrase', way('joi', { keys: [{ file: 'k', fault: 'Encrypted' }], agent: { keys: 0 } }), 'keys', 'joi', 'missing', /ssh-add/, null],
    ['an agent that answers', way('joi', { keys: [], agent: { fault: 'it does not answer' } }), 'keys', 'joi', 'missing', /ssh-add/, null],
    ['nothing where the agent has the key', way('joi', { keys: [{ file: 'k', fault: 'Encrypted' }], agent: { keys: 1 } }), 'keys', 'joi', 'ok', null, null],
    ['a host key', way('joi', { hostKeys: { operation: 'known-hosts', cause: 'no host key on file for joi; nothing was sent' } }), 'host key on file', 'joi', 'missing', /ssh joi true/, /the whole run \(\d+ cells\)/],
    ['a login', { ...inside(['joi'], failed('joi does not answer: try: ssh joi')), discovery: without('joi') }, 'login', 'joi', 'missing', /^ssh joi$/, /lose their proof \(\d{3,} inconclusive: not looked at/],
    ['forwarding', { ...inside(behind, failed("the gateway's sshd refuses forwarding: set it")), discovery: without(...behind) }, 'forwarding', 'gateway', 'missing', /AllowTcpForwarding yes/, /\d{3,} cells lose their proof/],
    ['a prober', { ...inside(['joi'], { ...failed('joi: neither python3 nor nc is on the host', 'start-prober'), login: answered }), discovery: without('joi') }, 'prober', 'joi', 'missing', /install python3/, /not looked at/],
    ['root', { ...inside(['joi'], { root: false, tracking: null }), discovery: lessOf('joi', 'witnesses', 'listeners', 'privileged', 'raw') }, 'root', 'joi', 'missing', /least-privilege/, /not tested/],
    ['python3', { ...inside(['ntp'], { prober: 'sh' }), discovery: lessOf('ntp', 'listeners', 'raw') }, 'raw packets and frames', 'ntp', 'less', /install python3/, /not tested/],
    ['connection tracking in the kernel', { ...inside(['ntp'], { prober: 'sh', tracking: null }), discovery: lessOf('ntp', 'listeners', 'raw', 'witnesses') }, 'connection tracking', 'ntp', 'missing', /modprobe/, /lose their proof/],
    ['a rule that makes it record', { ...inside(['ntp'], { prober: 'sh', tracking: ['ntp did not record its own ipv6 datagram'] }), discovery: lessOf('ntp', 'listeners', 'raw') }, 'connection tracking', 'ntp', 'missing', /ct state/, /lose their proof/],
    ['a name', { ...all, discovery: { ...all.discovery, names: { ...discovery.names, 'github.com': { operation: 'resolve', cause: 'github.com has no address' } } } }, 'names', 'operator', 'missing', /getent hosts github\.com/, null],
  ];
  for (const [sentence, gathered, what, host, state, mend, cells] of rows)
    it(`${sentence} is ${state}, with its mend and cost`, () => {
      const checks = examine(gathered);
      const of = checks.filter((check) => check.what === what && check.host === host);
      const found = of.find((check) => check.state !== 'ok') ?? of[0];
      expect(found?.state, found?.detail).to.equal(state);
      if (mend !== null) expect(found?.mend).to.match(mend);
      if (cells !== null) expect(found?.cells).to.match(cells);
      expect(isWell(checks)).to.equal(state !== 'missing');
    });
  it('what hangs on it is not asked, and tells no second mend', () => {
    const checks = examine({ ...inside(behind, failed('no forwarding')), discovery: without(...behind) });
    for (const what of ['login', 'prober', 'root', 'connection tracking', 'raw packets and frames']) expect(checks.find((check) => check.host === 'joi' && check.what === what), what).to.include({ state: 'not asked', mend: null });
    expect(isWell(checks)).to.equal(false);
  });
  it('without one host key no login is tried', () => {
    const names = Object.fromEntries(Object.keys(discovery.names).map((name) => [name, { operation: 'resolve', cause: 'no vantage may resolve' } as const]));
    const checks = examine({ ...inside([...machines, 'operator'], failed('no host key', 'known-hosts')), discovery: { ...without(...machines, 'operator'), names } });
    for (const host of machines) expect(checks.find((check) => check.host === host && check.what === 'login'), host).to.include({ state: 'not asked' });
    expect(checks.find(({ what }) => what === 'names')).to.include({ state: 'not asked' });
  });
});

describe('doctor: the table', () => {
  for (const [state, well] of [['ok', true], ['less', true], ['missing', false], ['not asked', false]] as const)
    it(`with one that is ${state} is ${well ? 'well' : 'not'}`, () => expect(isWell([{ what: 'root', host: 'joi', state, detail: '', mend: null, cells: null }])).to.equal(well));
  it('has a line for each thing and the worst of each host', () => {
    const lines = renderChecks(examine({ ...inside(['ntp'], { prober: 'sh' }), discovery: lessOf('ntp', 'listeners', 'raw') })).split('\n');
    expect(lines[0]?.split(/ {2,}/)).to.deep.equal(['', 'operator', 'mesh', 'joi', 'ntp', 'gateway']);
    expect(lines.find((line) => line.startsWith('raw packets'))?.split(/ {2,}/)).to.deep.equal(['raw packets and frames', '·', 'ok', 'ok', 'less', 'ok']);
    expect(lines.at(-1)).to.match(/^\d+ ok, 0 missing, 1 with less than there could be: a run can be green$/);
  });
  it('lets nothing of a host move the cursor', () => {
    const text = renderChecks(examine({ ...inside(['joi'], failed('joi \u001B[2J\u0007: \u202Etry')), discovery: without('joi') }));
    expect(['\u001B', '\u0007', '\u202E'].filter((mark) => text.includes(mark))).to.deep.equal([]);
  });
});
