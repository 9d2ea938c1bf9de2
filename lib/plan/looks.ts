// How a cell is looked at. Pure.
import { factsOf, isFailure, sourceAddress } from '../facts.ts';
import type { Exchange, Facts, Flow, Look, Probe } from '../model.ts';
import { protocols } from '../protocols/index.ts';
import type { Destination } from './destinations.ts';
import { settled, type Input } from './input.ts';

/** The look at a cell, or what the facts say of it already. */
export function probeOf(input: Input, flow: Flow, destination: Destination): Probe {
  const token = input.newToken();
  return { id: flow.id, vantage: flow.from, flow, look: lookAt(input, flow, destination, token), token };
}

function lookAt(input: Input, flow: Flow, destination: Destination, token: string): Look {
  const facts = factsOf(input.discovery, flow.from);
  // Our own login tells even where the vantage could not be opened: what stopped it is what the flow saw.
  if (flow.protocol === 'ssh' && flow.expected === 'allowed') return { by: 'login' };
  if (isFailure(facts)) return settled({ seen: 'unprobed', failure: facts });
  const { way } = destination;
  if (way !== 'send') return settled('noPath' in way ? { seen: 'no path', detail: way.noPath } : { seen: 'unprobed', failure: way.unknown });
  if (typeof destination.address !== 'string')
    return settled('absent' in destination.address ? { seen: 'absent', detail: destination.address.absent } : { seen: 'unprobed', failure: destination.address.unknown });
  return { by: 'exchange', exchange: exchangeFor(input, flow, destination.address, destination.serverName, token, facts) };
}

/** The exchange in the flow's own protocol. */
export function exchangeFor({ inventory }: Input, flow: Flow, address: string, serverName: string | null, token: string, facts: Facts): Exchange {
  if (flow.transport === 'ip') throw new Error(`${flow.id} is no exchange of a socket`);
  const module = protocols[flow.protocol];
  const question = Object.values(inventory.site.targets).find((target) => target.names !== undefined)?.names?.[0] ?? 'example.com';
  const { attempts, intervalMs, windowMs } = inventory.site.timing[flow.expected];
  return {
    attempts, intervalMs, windowMs,
    transport: flow.transport,
    address,
    port: flow.port,
    sourcePort: flow.sourcePort ?? module.sourcePort,
    send: module.request(token, { serverName, question, ownAddress: sourceAddress(facts, address) }),
  };
}
