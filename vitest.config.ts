/** Tests run in processes of their own, so that one that ends badly harms no other. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/helpers/nats-versions.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // Storage workers that run from TypeScript sources load Node's type stripper, which is
    // WebAssembly, once each. In Node 24.21 about one process in fifty that has started some
    // hundred of them dies (SIGSEGV, or V8's `jit_page.has_value()`) where V8 swaps a stripper's
    // import wrapper for a compiled one. With this budget it never does. The built package has
    // nothing to strip.
    execArgv: ['--wasm-wrapper-tiering-budget=1000000000'],
  },
});
