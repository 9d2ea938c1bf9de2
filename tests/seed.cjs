// The properties draw the same inputs each time, so that no change is blamed for what an earlier one did. Fresh ones are `npm run fuzz`'s.
// By require: tsx gives the tests fast-check's CommonJS half, whose settings are not those of the other half.
const fc = require('fast-check');

fc.configureGlobal({ seed: 1 });
