// The properties draw the same inputs each time, so that no change is blamed for what an earlier one did. Fresh ones are `npm run fuzz`'s.
import fc from 'fast-check';

fc.configureGlobal({ seed: 1 });
