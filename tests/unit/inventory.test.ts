// inventory.json: the one that is shipped is good; each mistake is told with its JSON path, all of them at once.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { InventoryError, parseInventory } from '../../lib/inventory.ts';

const shipped = readFileSync(new URL('../../inventory.json', import.meta.url), 'utf8');

/** The shipped inventory with one value put in, or taken away (undefined), at a path of keys. */
function edited(edits: Readonly<Record<string, unknown>>): string {
  const whole = JSON.parse(shipped) as Record<string, unknown>;
  for (const [path, value] of Object.entries(edits)) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const parent = keys.reduce((at, key) => at[key] as Record<string, unknown>, whole);
    if (value === undefined) Reflect.deleteProperty(parent, last);
    else parent[last] = value;
  }
  return JSON.stringify(whole);
}

function mistakesOf(source: string): readonly string[] {
  try {
    parseInventory(source, 'site.json');
    return [];
  } catch (error) {
    expect(error).to.be.instanceOf(InventoryError);
    return (error as InventoryError).mistakes;
  }
}

describe('inventory: the shipped one', () => {
  it('is good', () => expect(mistakesOf(shipped)).to.deep.equal([]));
  it('is given as it stands in the file', () => expect(parseInventory(shipped)).to.deep.equal(JSON.parse(shipped)));
  it('may name its schema', () => expect(mistakesOf(edited({ $schema: './inventory.schema.json' }))).to.deep.equal([]));
  it('may have waivers, and a last day for a TEMP row', () => expect(mistakesOf(edited({ waivers: [waiver, { ...waiver, cells: 'mesh -> ntp vmbr1 tcp/22', until: '2028-02-29' }], 'matrix.flows.7.until': '2026-12-31' }))).to.deep.equal([]));
  it('may have IPv6 addresses', () => expect(mistakesOf(edited({ 'matrix.hosts.mesh.addresses.wan': '2001:db8::5' }))).to.deep.equal([]));
});

const row = 'matrix.flows.0';
const hosts = 'mesh, joi, ntp, gateway';
const badName = 'must be a name of lower-case letters, digits and -, at most 41 long';
const badDay = 'must be a day of the calendar as 2026-12-31, the last one, in UTC';
const waiver = { cells: 'joi -> *', reason: 'why', acceptedBy: 'who', until: '2026-12-31' };
const one: readonly (readonly [sentence: string, edits: Readonly<Record<string, unknown>>, mistake: string])[] = [
  ['a port below 1', { [`${row}.ports`]: [0] }, '$.matrix.flows[0].ports[0]: Too small: expected number to be >=1'],
  ['a port above 65535', { [`${row}.ports`]: [1, 65536] }, '$.matrix.flows[0].ports[1]: Too big: expected number to be <=65535'],
  ['a port as text', { [`${row}.ports`]: ['443'] }, '$.matrix.flows[0].ports[0]: Invalid input: expected number, received string'],
  ['half a port', { [`${row}.ports`]: [1.5] }, '$.matrix.flows[0].ports[0]: Invalid input: expected int, received number'],
  ['no port', { [`${row}.ports`]: [] }, '$.matrix.flows[0].ports: Too small: expected array to have >=1 items'],
  ['a port twice', { [`${row}.ports`]: [8443, 9, 8443] }, '$.matrix.flows[0].ports: 8443 stands there twice'],
  ['a watched port above 65535', { 'site.watch.tcp': [70000] }, '$.site.watch.tcp[0]: Too big: expected number to be <=65535'],
  ['a misspelt key of a row', { [`${row}.port`]: 1 }, '$.matrix.flows[0].port: unknown key; remove it or mend its spelling'],
  ['a misspelt key on top', { sites: {} }, '$.sites: unknown key; remove it or mend its spelling'],
  ['a misspelt key of a target', { 'site.targets.web.serve': [] }, '$.site.targets.web.serve: unknown key; remove it or mend its spelling'],
  ['an unknown transport', { [`${row}.transport`]: 'sctp' }, '$.matrix.flows[0].transport: Invalid option: expected one of "tcp"|"udp"'],
  ['an unknown protocol', { [`${row}.speaks`]: 'http' }, '$.matrix.flows[0].speaks: Invalid option: expected one of "tcp"|"udp"|"ssh"|"tls"|"ollama"|"dns"|"ntp"|"dhcp"|"nebula"'],
  ['a protocol over the wrong transport', { [`${row}.transport`]: 'udp' }, '$.matrix.flows[0].speaks: tls goes over tcp, not udp'],
  ['SSH from where we do not log in', { [`${row}.speaks`]: 'ssh' }, '$.matrix.flows[0].speaks: ssh is looked at by our own login, which starts at the operator or the gateway alone; use "tcp" here'],
  ['an unknown source', { [`${row}.from`]: 'mash' }, `$.matrix.flows[0].from: no such host; one of ${hosts}, operator`],
  ['an unknown destination', { [`${row}.to`]: 'jo' }, `$.matrix.flows[0].to: no such host or target; one of ${hosts}, signal, upstream-ntp, code, web, public-resolvers, dns, dhcp, any`],
  ['an unknown network', { [`${row}.network`]: 'nebla' }, '$.matrix.flows[0].network: no such network; one of vmbr1, nebula, wan, docker0'],
  ['a network that the destination is not on', { [`${row}.network`]: 'wan' }, '$.matrix.flows[0].network: joi has no address on wan; add it under $.matrix.hosts.joi.addresses'],
  ['an id twice', { 'matrix.flows.1.id': 'mesh-joi-api' }, '$.matrix.flows[1].id: flows[0] has the id mesh-joi-api already'],
  ['an id that would colour a terminal', { [`${row}.id`]: 'a\u001b[31m' }, `$.matrix.flows[0].id: ${badName}`],
  ['an id that every object has', { [`${row}.id`]: 'constructor' }, `$.matrix.flows[0].id: ${badName}`],
  ['TEMP as text', { [`${row}.temp`]: 'yes' }, '$.matrix.flows[0].temp: Invalid input: expected boolean, received string'],
  ['no flows', { 'matrix.flows': [] }, '$.matrix.flows: Too small: expected array to have >=1 items'],
  ['a kind of network that there is not', { 'matrix.networks.vmbr1.kind': 'lan' }, '$.matrix.networks.vmbr1.kind: Invalid option: expected one of "link"|"overlay"|"wan"|"local"'],
  ['a network without its length', { 'matrix.networks.docker0.cidr': '172.17.0.0' }, '$.matrix.networks.docker0.cidr: must be a network as 172.22.22.0/29'],
  ['a network longer than an address', { 'matrix.networks.nebula.cidr': '10.42.0.0/33' }, '$.matrix.networks.nebula.cidr: must be a network as 172.22.22.0/29'],
  ['no address', { 'matrix.hosts.mesh.addresses.vmbr1': '172.22.22.300' }, '$.matrix.hosts.mesh.addresses.vmbr1: must be an IPv4 or IPv6 address'],
  ['an address outside its network', { 'matrix.hosts.mesh.addresses.vmbr1': '172.22.23.1' }, "$.matrix.hosts.mesh.addresses.vmbr1: 172.22.23.1 is outside vmbr1's 172.22.22.0/29"],
  ['an address twice', { 'matrix.hosts.mesh.addresses.vmbr1': '172.22.22.2' }, '$.matrix.hosts.joi.addresses.vmbr1: 172.22.22.2 belongs to $.matrix.hosts.mesh.addresses.vmbr1 already'],
  ['an address on no network', { 'matrix.hosts.mesh.addresses.lan': '10.1.1.1' }, '$.matrix.hosts.mesh.addresses.lan: no such network; one of vmbr1, nebula, wan, docker0'],
  ['a login that is an option', { 'site.logins.joi': '-F.config' }, '$.site.logins.joi: must be a name as you would type it behind `ssh `'],
  ['a login with a blank', { 'site.logins.joi': 'joi reboot' }, '$.site.logins.joi: must be a name as you would type it behind `ssh `'],
  ['a host without a login', { 'site.logins.joi': undefined }, '$.site.logins: no entry for host joi; add "joi": "<name for ssh>"'],
  ['a login of no host', { 'site.logins.jo': 'jo' }, `$.site.logins.jo: no such host; one of ${hosts}`],
  ['a beacon of a host\'s name', { 'site.beacons.joi': 'joi' }, '$.site.beacons.joi: a host, a target or a word of ours has this name; give the beacon another'],
  ['a beacon of a target\'s name', { 'site.beacons.web': 'shore' }, '$.site.beacons.web: a host, a target or a word of ours has this name; give the beacon another'],
  ['a beacon whose login is an option', { 'site.beacons.internet': '-F.config' }, '$.site.beacons.internet: must be a name as you would type it behind `ssh `'],
  ['a family that there is not', { 'site.without': ['source ports'] }, '$.site.without[0]: Invalid option: expected one of "machine"|"neighbour port"|"link-local"|"icmp"|"external"|"outside"|"no path"|"overlay by underlay"|"source port"|"another way"|"ip protocol"|"surviving session"|"walls"'],
  ['the rows gone without', { 'site.without': ['row'] }, '$.site.without[0]: Invalid option: expected one of "machine"|"neighbour port"|"link-local"|"icmp"|"external"|"outside"|"no path"|"overlay by underlay"|"source port"|"another way"|"ip protocol"|"surviving session"|"walls"'],
  ['a confined host in words', { 'matrix.hosts.joi.confined': 'yes' }, '$.matrix.hosts.joi.confined: Invalid input: expected boolean, received string'],
  ['a target with two kinds of address', { 'site.targets.web.addresses': ['1.1.1.1'] }, '$.site.targets.web: must be exactly one of names, addresses, discover'],
  ['a target with no kind of address', { 'site.targets.web.names': undefined }, '$.site.targets.web: must be exactly one of names, addresses, discover'],
  ['a target of a host\'s name', { 'site.targets.joi': { addresses: ['1.1.1.1'], serves: [] } }, '$.site.targets.joi: a host has this name too; rename one'],
  ['a target called any', { 'site.targets.any': { addresses: ['1.1.1.1'], serves: [] } }, '$: "any" is a word of flowproof\'s own; give the host or target another name'],
  ['a name in capitals', { 'site.targets.web.names': ['Example.com'] }, '$.site.targets.web.names[0]: must be a DNS name in lower case'],
  ['a service without its transport', { 'site.targets.web.serves': ['443'] }, '$.site.targets.web.serves[0]: must be a service as tcp/443'],
  ['a service above 65535', { 'site.targets.web.serves': ['tcp/99999'] }, '$.site.targets.web.serves[0]: must be a service as tcp/443'],
  ['a waiver of everything', { waivers: [{ ...waiver, cells: '* -> *' }] }, '$.waivers[0].cells: must be the id of a cell as reports have it, or a pattern with * that names at least a part of one'],
  ['a waiver until a day that there is not', { waivers: [{ ...waiver, until: '2027-02-29' }] }, `$.waivers[0].until: ${badDay}`],
  ['a waiver until a day written otherwise', { waivers: [{ ...waiver, until: '31.12.2026' }] }, `$.waivers[0].until: ${badDay}`],
  ['a waiver that nobody has accepted', { waivers: [{ ...waiver, acceptedBy: '' }] }, '$.waivers[0].acceptedBy: Too small: expected string to have >=1 characters'],
  ['a waiver without end', { waivers: [{ ...waiver, until: undefined }] }, '$.waivers[0].until: must be a day of the calendar as 2026-12-31, the last one, in UTC'],
  ['a misspelt key of a waiver', { waivers: [{ ...waiver, accepted: 'me' }] }, '$.waivers[0].accepted: unknown key; remove it or mend its spelling'],
  ['a TEMP row until a day that there is not', { 'matrix.flows.7.until': '2026-13-01' }, `$.matrix.flows[7].until: ${badDay}`],
  ['a lasting row with an end', { [`${row}.until`]: '2026-12-31' }, '$.matrix.flows[0].until: only a TEMP row ends; add "temp": true, or take this out'],
  ['a rate of nothing', { 'site.timing.rate': 0 }, '$.site.timing.rate: Too small: expected number to be >=1'],
  ['a rate that bounds nothing', { 'site.timing.rate': 1001 }, '$.site.timing.rate: Too big: expected number to be <=1000'],
  ['no attempt', { 'site.timing.denied.attempts': 0 }, '$.site.timing.denied.attempts: Too small: expected number to be >=1'],
  ['a shortest wait of nothing', { 'site.timing.denied.floorMs': 0 }, '$.site.timing.denied.floorMs: Too small: expected number to be >=1'],
  ['a shortest wait of half a millisecond', { 'site.timing.denied.floorMs': 0.5 }, '$.site.timing.denied.floorMs: Invalid input: expected int, received number'],
  ['a shortest wait beyond the longest', { 'site.timing.denied.floorMs': 701 }, '$.site.timing.denied.floorMs: 701 is more than windowMs, which is 700: the shortest wait is no longer than the longest; lower it, or raise windowMs'],
  ['a shortest wait for what is allowed', { 'site.timing.allowed.floorMs': 200 }, '$.site.timing.allowed.floorMs: unknown key; remove it or mend its spelling'],
  ['no timing for what is denied', { 'site.timing.denied': undefined }, '$.site.timing.denied: Invalid input: expected object, received undefined'],
];

describe('inventory: one mistake gives one line', () => {
  for (const [sentence, edits, mistake] of one) it(sentence, () => expect(mistakesOf(edited(edits))).to.deep.equal([mistake]));
});

describe('inventory: many mistakes', () => {
  it('are told all at once, the shape and the rules between the parts', () => {
    const mistakes = mistakesOf(edited({ [`${row}.prots`]: 1, 'matrix.flows.1.from': 'mash', 'matrix.flows.2.ports': [0], 'site.gateway': 'gate', 'matrix.hosts.mesh.addresses.vmbr1': 'x', sites: 1 }));
    const paths = mistakes.map((line) => line.split(': ')[0]);
    expect(paths).to.include.members(['$.matrix.flows[0].prots', '$.matrix.flows[1].from', '$.matrix.flows[2].ports[0]', '$.site.gateway', '$.matrix.hosts.mesh.addresses.vmbr1', '$.sites']);
  });
  it('stand in one message that names the file and counts them', () => {
    expect(() => parseInventory(edited({ sites: 1, nodes: 2 }), 'site.json')).to.throw(InventoryError, /^site\.json: 2 mistakes; nothing was sent\n {2}\$\.sites: .*\n {2}\$\.nodes: /);
  });
  it('of a matrix that is missing do not hide those of the site', () => expect(mistakesOf(edited({ matrix: undefined, 'site.nodes': 1 })).join('\n')).to.include('$.matrix: ').and.include('$.site.nodes: unknown key'));
});

describe('inventory: what is no JSON', () => {
  const rows: readonly (readonly [sentence: string, source: string, at: RegExp])[] = [
    ['a file cut off', '{\n "matrix": {', /not JSON: .*line 2, column \d+/s],
    ['a comma too many', '{\n  "matrix": {},\n}', /not JSON: .*line 3, column 1/s],
    ['a value left out', '{\n  "matrix": ,\n  "site": {}\n}', /not JSON: .*line 2, column 13/s],
    ['an empty file', '', /not JSON: .*line 1, column 1/s],
    ['a comment', `${'\n'.repeat(9)}// hello`, /not JSON: .*line 10, column 1/s],
  ];
  for (const [sentence, source, at] of rows) it(`${sentence} is told with line and column`, () => expect(mistakesOf(source).join()).to.match(at));
  for (const source of ['[]', 'null', '7', '"matrix"']) it(`${source} is told to be no inventory`, () => expect(mistakesOf(source).join()).to.match(/^\$: Invalid input: expected object/));
  it('a file nested without end is told so', () => expect(mistakesOf('['.repeat(100_000))).to.deep.equal(['$: nested deeper than any inventory (100 levels)']));
  it('a key that no object can have is a mistake, since it would be lost', () =>
    expect(mistakesOf(shipped.replace('"targets": {', '"targets": { "__proto__": { "addresses": ["192.0.2.1"], "serves": [] },')).join()).to.match(/^\$\.site\.targets\.__proto__: no name for anything \(line \d+, column \d+\)/));
  it('a key that stands twice is a mistake, since only the last would count', () =>
    expect(mistakesOf(shipped.replace('"site": {', '"site": {},\n "site": {')).join()).to.match(/site/));
});
