import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { expect, test } from 'vitest'
import { fastest, gpuJs, type Mode, probe, showTrials } from '../../src/kernel/index.js'
import type { Values } from '../../src/tensor/Program.js'
import { reference, type Target, type TargetError } from '../../src/tensor/Target.js'

/** A target whose runs take at least so many milliseconds, and the first of them `first`. */
const slow = (ms: number, first: number): Target => ({
  ...reference,
  compile: (program, sizes) =>
    pipe(
      reference.compile(program, sizes),
      E.map((made) => {
        let runs = 0
        const wait = (): Promise<Values> =>
          new Promise((done) => {
            setTimeout(() => done({}), runs++ === 0 ? first : ms)
          })
        return { ...made, run: () => TE.fromTask<Values, TargetError>(wait) }
      })
    )
})

const open = (mode: Mode): Target =>
  mode === 'webasm' ? slow(30, 1) : mode === 'webgpu' ? slow(1, 60) : gpuJs({ mode, threads: 0 })

test('the fastest mode is the one whose later runs take the least, whatever the first one takes', async () => {
  expect(fastest(await probe(['webasm', 'webgpu'], open)())).toBe('webgpu')
  expect(fastest(await probe(['webgpu', 'webasm'], open)())).toBe('webgpu')
})

test('a mode that does not run is said, and not taken', async () => {
  const trials = await probe(['webgl2', 'webasm'], open)()
  expect(fastest(trials)).toBe('webasm')
  expect(showTrials(trials)).toMatch(/^webgl2: .*threads: expected a whole number.*; webasm \d+\.\d\d ms$/)
  expect(fastest(await probe(['webgl2'], open)())).toBe('webasm')
})

test('it runs on webasm', async () => {
  expect(showTrials(await probe(['webasm'])())).toMatch(/^webasm \d+\.\d\d ms$/)
})
