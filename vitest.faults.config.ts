import { defineConfig } from 'vitest/config'
import base from './vitest.config.js'

const { projects: _, ...rest } = base.test ?? {}

/** What takes too long for every change: thousands of cycles, kills and hostile files. */
export default defineConfig({
  ...base,
  test: {
    ...rest,
    include: ['test/faults/**/*.fault.ts'],
    testTimeout: 4 * 3_600_000,
    hookTimeout: 300_000,
    fileParallelism: false
  }
})
