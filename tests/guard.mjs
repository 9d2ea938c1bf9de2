// Loaded before mocha's own work: a spec whose top-level await never settles makes
// node exit with 0 and no output. mocha overwrites this code when a run really ends.
process.exitCode = 70;
