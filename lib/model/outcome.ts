// What comes back from a prober, and what is read from it.
import type { Failure } from './hosts.ts';

/** One event of a prober, raw. `try` counts from 1; `ms` is since the exchange began. */
export type Reply = Readonly<
  | { event: 'sent'; try: number; sourcePort: number | null; ms: number | null }
  | { event: 'connected'; try: number; ms: number | null }
  | { event: 'data'; try: number; hex: string; ms: number | null; from: string | null }
  | { event: 'closed'; try: number }
  | { event: 'error'; try: number; errno: string; operation: string }
  | { event: 'icmp'; try: number; version: 4 | 6; type: number; code: number; from: string }
  | { event: 'unprobed'; errno: string; operation: string }>;

/** What a look saw; never what was hoped for. */
export type Outcome = Readonly<
  | { seen: 'answered'; detail: string; rttMs: number | null }
  | { seen: 'garbled'; detail: string }
  | { seen: 'refused'; by: 'rst' | 'port-unreachable' }
  | { seen: 'rejected'; detail: string; from: string; prohibited: boolean }
  | { seen: 'barred'; detail: string }
  | { seen: 'unrouted'; detail: string }
  | { seen: 'absent'; detail: string }
  | { seen: 'dead'; detail: string }
  | { seen: 'silent' }
  | { seen: 'no path'; detail: string }
  | { seen: 'unprobed'; failure: Failure }>;
