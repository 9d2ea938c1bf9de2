// The nouns of flowproof. Types only; imports nothing but its own parts. Times are in ms, moments are ISO 8601 in UTC.
export type * from './model/site.ts';
export type * from './model/hosts.ts';
export type * from './model/outcome.ts';
export type * from './model/plan.ts';
export type * from './model/seen.ts';
export type * from './model/sweep.ts';
