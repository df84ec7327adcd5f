import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import { cases, disagreement, runOn } from './arbitrary.js'
import { examples } from './examples.js'

describe.each(['webasm', 'cpu'] as const)('%s agrees with the reference', (mode) => {
  const target = gpuJs({ mode })
  const plain = gpuJs({ mode, fuse: false })
  afterAll(async () => {
    await target.dispose()
    await plain.dispose()
  })

  test.each(Object.entries(examples))('on %s', async (_, example) => {
    expect(disagreement(example, await runOn(target, example))).toBeUndefined()
    expect(disagreement(example, await runOn(plain, example))).toBeUndefined()
  })

  test('on random programs', () =>
    fc.assert(
      fc.asyncProperty(cases, async (example) => {
        expect(disagreement(example, await runOn(target, example))).toBeUndefined()
      }),
      { numRuns: mode === 'webasm' ? 300 : 100 }
    ))
})
