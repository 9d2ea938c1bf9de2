// The mutants that `npm run verify` tries: one of each kind that has shown something.
export const sample: readonly string[] = [
  'IPv6 forgotten, from joi to mesh',
  'answers of NTP let in by source port, joi to ntp',
  'the TEMP rules left on both',
  'mesh rejects instead of dropping',
  'joi forward policy reversed',
  'ntp input rule 4 any source',
  'gateway forward policy reversed',
];
