// What a prober tells of a host's configuration -> what ties the evidence to it, and what a reader is warned of.
import { expect } from 'chai';
import { configurationWarnings, parseConfiguration } from '../../lib/configuration.ts';
import type { Configuration, Failure, HostRecord } from '../../lib/model.ts';
import { aConfiguration, aRecord } from '../fixtures/flows.ts';

const hash = 'd567'.repeat(16);
const certificate = '{"details":{"groups":["mesh"],"ips":["10.42.0.1/16"],"isCa":false,"name":"mesh","notAfter":"2027-11-25T08:53:27Z"},"signature":"00"}';
const told = [
  'sysctl ipv4/ip_forward 0', 'sysctl ipv6/conf/all/disable_ipv6 1', `rules ${hash}`, 'boot differs nft -f /etc/nftables.conf',
  'running-alone inet filter input: tcp dport 9999 accept', 'boot-alone inet filter input: tcp dport 22 accept', `certificate /etc/nebula/host.crt ${certificate}`,
].join('\n');

describe('configuration', () => {
  it('is read from what the prober tells', () => expect(parseConfiguration(told)).to.deep.equal({
    sysctls: [{ name: 'ipv4/ip_forward', value: '0' }, { name: 'ipv6/conf/all/disable_ipv6', value: '1' }],
    rules: hash,
    boot: { is: 'differs', detail: 'nft -f /etc/nftables.conf', runningAlone: ['inet filter input: tcp dport 9999 accept'], bootAlone: ['inet filter input: tcp dport 22 accept'] },
    certificates: [{ file: '/etc/nebula/host.crt', name: 'mesh', notAfter: '2027-11-25T08:53:27.000Z' }],
  } satisfies Configuration));
  it('has no rules where only root may read them, and boot is unknown', () => {
    const { rules, boot } = parseConfiguration('sysctl ipv4/ip_forward 0');
    expect(rules).to.equal(null);
    expect(boot).to.include({ is: 'unknown', detail: 'the rules can be read by root alone' });
  });
  for (const [sentence, text] of [['a hash that is none', 'rules abc\nboot same nft'], ['no hash', 'boot same nft'], ['another word', `rules ${hash}\nboot fine nft`]] as const)
    it(`never says that the boot loads the same by ${sentence}`, () => expect(parseConfiguration(text).boot.is).to.equal('unknown'));
  const certificates: readonly (readonly [sentence: string, json: string, name: string, notAfter: string | null])[] = [
    ['of the second version is one of a list', `[${certificate}]`, 'mesh', '2027-11-25T08:53:27.000Z'],
    ['that nebula-cert cannot tell has no end', '', 'unknown', null],
    ['with no date has no end', '{"details":{"name":"mesh","notAfter":"soon"}}', 'mesh', null],
    ['of nonsense has no end', '[null]', 'unknown', null],
  ];
  for (const [sentence, json, name, notAfter] of certificates)
    it(`a certificate ${sentence}`, () => expect(parseConfiguration(`certificate /etc/nebula/a.crt ${json}`).certificates).to.deep.equal([{ file: '/etc/nebula/a.crt', name, notAfter }]));
  it('keeps of a machine in other hands so many lines, and so much of each', () => {
    const { sysctls } = parseConfiguration(`sysctl a ${'x'.repeat(9_000)}\n`.repeat(9_000));
    expect(sysctls).to.have.length(200);
    expect(sysctls[0]?.value.length).to.be.lessThan(300);
  });
});

describe('configuration: the warnings', () => {
  const warnings = (configuration: Configuration | Failure | null): readonly string[] => {
    const [host] = aRecord([]).run.hosts;
    return configurationWarnings([{ ...(host as HostRecord), configuration }], '2026-11-23');
  };
  const differs = (runningAlone: readonly string[], bootAlone: readonly string[]): Configuration => ({ ...aConfiguration, boot: { is: 'differs', detail: 'nft -f /etc/nftables.conf', runningAlone, bootAlone } });
  const expiring = (notAfter: string): Configuration => ({ ...aConfiguration, certificates: [{ file: '/etc/nebula/host.crt', name: 'mesh', notAfter }] });
  const rows: readonly (readonly [sentence: string, configuration: Configuration | Failure | null, warned: readonly string[]])[] = [
    ['are none where the boot loads what runs', aConfiguration, []],
    ['are none of a host without one', null, []],
    ['name what runs alone', differs(['a', 'b'], []), ['mesh: the rules that run are not those that its boot loads (nft -f /etc/nftables.conf): 2 run alone, such as "a"']],
    ['name what the boot would bring', differs([], ['c']), ['mesh: the rules that run are not those that its boot loads (nft -f /etc/nftables.conf): 1 would come with the boot, such as "c"']],
    ['name another order', differs([], []), ['mesh: the rules that run are not those that its boot loads (nft -f /etc/nftables.conf): the same lines in another order']],
    ['name a boot that would fail', { ...aConfiguration, boot: { ...aConfiguration.boot, is: 'unknown', detail: 'what the boot loads does not load in a namespace of its own: nft -f x' } },
      ['mesh: what the boot loads does not load in a namespace of its own: nft -f x: the next boot may come up without it']],
    ['name a certificate that is over', expiring('2026-11-20T00:00:00.000Z'), ["mesh: Nebula's /etc/nebula/host.crt expired on 2026-11-20"]],
    ['name one that soon will be', expiring('2026-12-20T00:00:00.000Z'), ["mesh: Nebula's /etc/nebula/host.crt expires on 2026-12-20"]],
    ['are none of one that has time', expiring('2027-01-20T00:00:00.000Z'), []],
    ['say that the evidence has none', { operation: 'exchange', cause: 'mesh: the prober ended' }, ['its configuration is not in the evidence: mesh: the prober ended']],
  ];
  for (const [sentence, configuration, warned] of rows) it(sentence, () => expect(warnings(configuration)).to.deep.equal(warned));
});
