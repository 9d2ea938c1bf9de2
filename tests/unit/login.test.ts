// What ssh-keygen -F finds in known_hosts -> the keys that a host may show. The lines are as it prints them.
import { expect } from 'chai';
import { parseSettings, pinnedKeys } from '../../lib/login.ts';

const blob = (type: string, rest: string): string => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(rest)]).toString('base64');
};
const key = blob('ssh-ed25519', 'a key');
const other = blob('ssh-ed25519', 'another key');

describe('login: a key on file', () => {
  const rows: readonly (readonly [sentence: string, lines: readonly string[], keys: readonly string[]])[] = [
    ['is pinned', [`joi ssh-ed25519 ${key}`], [key]],
    ['is pinned with a comment behind it', [`joi ssh-ed25519 ${key} root@joi`], [key]],
    ['is pinned in an indented line', [`\t joi ssh-ed25519 ${key}`], [key]],
    ['is pinned beside another', [`joi ssh-ed25519 ${key}`, `joi,172.22.22.2 ssh-ed25519 ${other}`], [key, other]],
    ['that is revoked is not', [`joi ssh-ed25519 ${key}`, `@revoked * ssh-ed25519 ${key}`], []],
    ['that is revoked in an indented line is not', [`joi ssh-ed25519 ${key}`, `  @revoked joi ssh-ed25519 ${key}`], []],
    ['that is revoked leaves the others', [`@revoked joi ssh-ed25519 ${key}`, `joi ssh-ed25519 ${key}`, `joi ssh-ed25519 ${other}`], [other]],
    ['of a certificate authority is none of a host', [`@cert-authority joi ssh-ed25519 ${key}`], []],
    ['with a marker that nobody knows is none', [`@trusted joi ssh-ed25519 ${key}`], []],
    ['that is left out is none', ['joi ssh-ed25519', 'joi', ''], []],
    ['of another type than it says is none', [`joi ssh-rsa ${key}`], []],
    ['that is cut off is none', [`joi ssh-ed25519 ${key.slice(0, 8)}`], []],
    ['that is none is none', ['joi ssh-ed25519 $(reboot)'], []],
  ];
  for (const [sentence, lines, keys] of rows) it(sentence, () => expect(pinnedKeys(lines).map((pinned) => pinned.key.toString('base64'))).to.deep.equal(keys));
});

describe('login: the settings', () => {
  it('are as ssh -G prints them, some more than once', () =>
    expect([...parseSettings('hostname 172.22.22.2\nidentityfile ~/.ssh/a\nidentityfile ~/.ssh/b c\n')]).to.deep.include.members([['hostname', ['172.22.22.2']], ['identityfile', ['~/.ssh/a', '~/.ssh/b c']]]));
});
