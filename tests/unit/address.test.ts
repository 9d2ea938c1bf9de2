// IP arithmetic, with the spellings and lengths that people and kernels use.
import { isIP } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { canonical, prefixLength, within } from '../../lib/address.ts';

describe('address: within', () => {
  const rows: readonly (readonly [address: string, cidr: string, is: boolean])[] = [
    ['172.22.22.1', '172.22.22.0/29', true], ['172.22.22.7', '172.22.22.0/29', true], ['172.22.22.8', '172.22.22.0/29', false],
    ['8.8.8.8', '0.0.0.0/0', true], ['10.42.0.1', '10.42.0.1', true], ['10.42.0.2', '10.42.0.1', false], ['10.42.0.1', '10.42.0.1/32', true],
    ['fe80::1', 'fe80::/64', true], ['fe80:0:0:1::1', 'fe80::/64', false], ['fd00::1', '::/0', true], ['fd00::1', 'fd00:0:0::1', true],
    ['10.0.0.1', '::/0', false], ['fd00::1', '0.0.0.0/0', false], ['default', '0.0.0.0/0', false], ['10.0.0.1', 'default', false], ['', '', false],
  ];
  for (const [address, cidr, is] of rows) it(`${address || 'nothing'} is ${is ? '' : 'not '}in ${cidr || 'nothing'}`, () => expect(within(address, cidr)).to.equal(is));
});

describe('address: prefixLength', () => {
  const rows: readonly (readonly [string, number])[] = [['10.0.0.0/8', 8], ['0.0.0.0/0', 0], ['10.0.0.1', 32], ['fe80::/64', 64], ['fe80::1', 128]];
  for (const [cidr, bits] of rows) it(`${cidr} has ${bits} bits`, () => expect(prefixLength(cidr)).to.equal(bits));
});

describe('address: canonical', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['172.22.22.1', '172.22.22.1'], ['fe80:0000:0000:0000:0000:0000:0000:0001', 'fe80::1'], ['FE80::1', 'fe80::1'], ['fe80::1%eth0', 'fe80::1'],
    ['0:0:0:0:0:0:0:1', '::1'], ['2001:db8::0:1', '2001:db8::1'], ['not an address', 'not an address'],
  ];
  for (const [address, spelling] of rows) it(`${address} is ${spelling}`, () => expect(canonical(address)).to.equal(spelling));

  it('every IPv6 address has one spelling, and it is an address', () => fc.assert(fc.property(fc.ipV6(), (address) => {
    expect(isIP(canonical(address))).to.equal(6);
    expect(canonical(canonical(address))).to.equal(canonical(address));
    expect(canonical(address.toUpperCase())).to.equal(canonical(address));
  })));
});
