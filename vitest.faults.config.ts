import { defineConfig } from 'vitest/config'
import base from './vitest.config.js'

/** The slow tests of what machines do to programs: `npm run faults`. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/faults/**/*.fault.ts'],
    fileParallelism: false,
    testTimeout: 4 * 3_600_000,
    hookTimeout: 300_000
  }
})
