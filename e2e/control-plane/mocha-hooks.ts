/** Mocha's root hooks for the end-to-end suites; `.mocharc.e2e.json` loads them. */
import { findBinaries, standardSearch } from './binaries.ts';
import { stopSharedControlPlane } from './shared.ts';

export const mochaHooks: Mocha.RootHookObject = {
  /** Here and not in the first suite, because a first build takes minutes, which no suite's time-out allows for. */
  async beforeAll(this: Mocha.Context) {
    this.timeout(0);
    await findBinaries(standardSearch(process.env));
  },

  async afterAll() {
    await stopSharedControlPlane();
  },
};
