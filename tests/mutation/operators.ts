// Mutants of a firewall by the operators of the literature (Hwang, Xie, Chen, Liu, "Systematic structural testing of firewall
// policies", IEEE TNSM 2012): pure, from the rules as nft's JSON has them. Under a policy of drop, an accept turned into a
// drop is the rule removed, and an accept without any clause is the policy reversed; neither is made twice.
import type { Chain, Command, Match, NftSet, Rule, Ruleset, Statement } from './ruleset.ts';

/** `n`: the rule's place in its chain, from 1. The commands are for the ruleset that they were made from. */
export type Mutation = Readonly<{ chain: string; name: string; commands: readonly Command[] }>;

export function mutationsOf(ruleset: Ruleset): readonly Mutation[] {
  const { chains, rules, sets } = ruleset;
  const all = [
    ...chains.flatMap((chain) => chainMutations(chain, rules.filter((rule) => rule.chain === chain.name))),
    ...rules.flatMap((rule) => ruleMutations(rule, rules.filter(({ chain }) => chain === rule.chain).indexOf(rule) + 1)),
    ...sets.flatMap(setMutations),
  ];
  // An accept without a clause is the policy reversed.
  return all.filter(({ commands }) => !commands.some((command) => acceptsAll(command)));
}

function acceptsAll({ replace }: Command): boolean {
  const { expr } = (replace as { readonly rule: Rule } | undefined)?.rule ?? { expr: [] };
  return expr.length === 1 && 'accept' in (expr[0] ?? {});
}

function chainMutations({ family, table, name, type, hook, prio, policy }: Chain, rules: readonly Rule[]): Mutation[] {
  if (hook === undefined) return [];
  const chain = { family, table, name, type, hook, prio };
  const opened: Mutation = { chain: name, name: 'policy reversed', commands: [{ add: { chain: { ...chain, policy: policy === 'drop' ? 'accept' : 'drop' } } }] };
  // Deleted and put in front, one after the other: the last becomes the first.
  const reversed: Mutation = {
    chain: name, name: 'rules in reverse order',
    commands: rules.flatMap((rule) => [{ delete: { rule: place(rule) } }, { insert: { rule: { ...withoutHandle(rule), expr: rule.expr } } }]),
  };
  return rules.length > 1 ? [opened, reversed] : [opened];
}

const place = ({ family, table, chain, handle }: Rule): Omit<Rule, 'expr'> => ({ family, table, chain, handle });
const replaced = (rule: Rule, expr: readonly Statement[]): readonly Command[] => [{ replace: { rule: { ...place(rule), expr } } }];
const isMatch = (statement: Statement): statement is Match => 'match' in statement;
const payloadOf = (statement: Statement): Readonly<{ protocol: string; field: string }> | null =>
  isMatch(statement) ? ((statement.match.left['payload'] as { protocol: string; field: string } | undefined) ?? null) : null;
const isPort = (statement: Statement): boolean => ['dport', 'sport'].includes(payloadOf(statement)?.field ?? '');

function ruleMutations(rule: Rule, n: number): Mutation[] {
  const { chain, expr } = rule;
  const named = (name: string, commands: readonly Command[]): Mutation => ({ chain, name: `rule ${n} ${name}`, commands });
  const at = (index: number, statement: Statement | null): readonly Command[] => replaced(rule, expr.toSpliced(index, 1, ...(statement === null ? [] : [statement])));
  const clauses = expr.flatMap((statement, index): Mutation[] => {
    if (!isMatch(statement)) return [];
    const payload = payloadOf(statement);
    if (isPort(statement)) return portMutations(statement, payload?.protocol ?? '', (what, changed) => named(what, at(index, changed)));
    return [named(`any ${clauseName(statement)}`, at(index, null)), ...(payload === null ? [] : addressMutations(statement, (what, changed) => named(what, at(index, changed))))];
  });
  return [
    named('removed', [{ delete: { rule: place(rule) } }]),
    ...clauses,
    ...protocolMutations(rule).map((changed) => named('of the other protocol too', [{ add: { rule: { ...withoutHandle(rule), expr: changed } } }])),
    ...mirrored(rule).map((other) => named('in both directions', [{ add: { rule: other } }])),
  ];
}

const withoutHandle = ({ family, table, chain }: Rule): Omit<Rule, 'expr' | 'handle'> => ({ family, table, chain });

function clauseName({ match: { left } }: Match): string {
  const { field } = (left['payload'] as { field?: string } | undefined) ?? {};
  const { key } = (left['meta'] as { key?: string } | undefined) ?? (left['ct'] as { key?: string } | undefined) ?? {};
  return { saddr: 'source', daddr: 'destination', type: 'type', iifname: 'interface', oifname: 'interface', iif: 'interface', oif: 'interface', state: 'state' }[field ?? key ?? ''] ?? 'packet';
}

type Named = (what: string, changed: Statement | null) => Mutation;

/** Any port of that protocol; and each end of each range moved by one. */
function portMutations(statement: Match, protocol: string, named: Named): Mutation[] {
  const { field } = payloadOf(statement) ?? { field: '' };
  const { right } = statement.match;
  const ports = typeof right === 'number' ? [right] : ((right as { set?: readonly number[] }).set ?? []);
  const equal = (value: unknown): Match => ({ match: { ...statement.match, right: value } });
  // In a set both ports by themselves: nft 1.0 ends with a fault where a rule with ranges in a set replaces another.
  const moved = (port: number, range: readonly [number, number]): Match =>
    equal(typeof right === 'number' ? { range } : { set: ports.flatMap((one) => (one === port ? range : [one])) });
  return [
    named(`any ${field}`, { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: protocol } }),
    ...ports.flatMap((port) => [
      named(`${field} from ${port - 1}`, moved(port, [port - 1, port])),
      named(`${field} to ${port + 1}`, moved(port, [port, port + 1])),
    ]),
    ...(ports.length > 1 ? ports.map((port) => named(`without ${field} ${port}`, equal({ set: ports.filter((one) => one !== port) }))) : []),
  ];
}

/** One address as the two of its /31: a range's end moved by one, in the direction that the prefix allows. */
function addressMutations(statement: Match, named: Named): Mutation[] {
  const { right, op } = statement.match;
  if (typeof right !== 'string' || right.startsWith('@') || op !== '==' || !/^[\d.]+$/.test(right)) return [];
  const { field } = payloadOf(statement) ?? { field: '' };
  const what = { saddr: 'source', daddr: 'destination' }[field];
  if (what === undefined) return [];
  return [
    named(`${what} from ${next(right, -1)}`, { match: { ...statement.match, right: { range: [next(right, -1), right] } } }),
    named(`${what} to ${next(right, 1)}`, { match: { ...statement.match, right: { range: [right, next(right, 1)] } } }),
  ];
}

function next(address: string, by: 1 | -1): string {
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + by;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

/** The same rule for UDP where it says TCP, and the other way round. */
function protocolMutations({ expr }: Rule): readonly (readonly Statement[])[] {
  if (!expr.some(isPort)) return [];
  const other = (statement: Statement): Statement => {
    const payload = payloadOf(statement);
    if (payload === null || !isPort(statement) || !isMatch(statement)) return statement;
    return { match: { ...statement.match, left: { payload: { ...payload, protocol: payload.protocol === 'tcp' ? 'udp' : 'tcp' } } } };
  };
  return [expr.map(other)];
}

/** What may come in may be begun from here too, and the other way round. */
function mirrored(rule: Rule): readonly Omit<Rule, 'handle'>[] {
  const chain = { input: 'output', output: 'input' }[rule.chain];
  if (chain === undefined || !rule.expr.some(isPort)) return [];
  const expr = rule.expr.map((statement): Statement => {
    if (!isMatch(statement)) return statement;
    const { left } = statement.match;
    const meta = left['meta'] as { key: string } | undefined;
    const payload = payloadOf(statement);
    if (meta !== undefined) return { match: { ...statement.match, left: { meta: { key: { iifname: 'oifname', oifname: 'iifname' }[meta.key] ?? meta.key } } } };
    if (payload !== null) return { match: { ...statement.match, left: { payload: { ...payload, field: { saddr: 'daddr', daddr: 'saddr' }[payload.field] ?? payload.field } } } };
    return statement;
  });
  return [{ ...withoutHandle(rule), chain, expr }];
}

/** Each element left out, and each end of it moved by one. */
function setMutations({ family, table, name, elem }: NftSet): Mutation[] {
  const set = { family, table, name };
  const elements = elem ?? [];
  return elements.flatMap((element): Mutation[] => {
    const without: Command = { delete: { element: { ...set, elem: [element] } } };
    const ranges = wider(element);
    return [
      { chain: `set ${name}`, name: `without ${label(element)}`, commands: [without] },
      ...ranges.map((range): Mutation => ({ chain: `set ${name}`, name: `with ${label(range)} for ${label(element)}`, commands: [without, { add: { element: { ...set, elem: [range] } } }] })),
    ];
  });
}

type Span = Readonly<{ prefix: Readonly<{ addr: string; len: number }> }> | Readonly<{ range: readonly [string, string] }> | string;

function label(element: unknown): string {
  const span = element as Span;
  return typeof span === 'string' ? span : 'prefix' in span ? `${span.prefix.addr}/${span.prefix.len}` : span.range.join('-');
}

/** Only sets of intervals have ranges; the others' elements are single addresses. */
function wider(element: unknown): readonly unknown[] {
  const span = element as Span;
  if (typeof span === 'string') return [];
  const [first, last] = 'prefix' in span ? [span.prefix.addr, end(span.prefix)] : span.range;
  const ends = [[next(first, 1), last], [next(first, -1), last], [first, next(last, -1)], [first, next(last, 1)]] as const;
  return ends.map((range) => ({ range }));
}

function end({ addr, len }: Readonly<{ addr: string; len: number }>): string {
  const number = addr.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + 2 ** (32 - len) - 1;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
