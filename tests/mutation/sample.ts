// The mutants that `npm run verify` tries: of each kind one, and those by which the suite was found wrong.
export const sample: readonly string[] = [
  'answers of HTTPS let in by source port, ntp to mesh',
  'gateway fetches its updates over HTTP and HTTPS', // its own connections were taken for joi's, from the same port
  'ntp forwards HTTPS that joi sends by it, and translates it', // joi's connections were taken for ntp's
  'joi gets through one time in three',
  'joi tunnels out by GRE',
  'gateway rejects instead of dropping',
  'ntp input rule 4 any source',
  'joi output policy reversed',
];
