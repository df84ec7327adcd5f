import { isDeepStrictEqual } from 'node:util'
import { Worker } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test, vi } from 'vitest'
import { gpuJs } from '../../src/kernel/index.js'
import * as Build from '../../src/tensor/Build.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import { showTargetError } from '../../src/tensor/Target.js'
import { record } from './results.js'

const kills = 100

const program = Program.make({ x: ['batch', 224], w: [224, 224] }, ({ x, w }) => {
  let y = x
  for (let t = 0; t < 24; t++) y = X.tanh(X.matmul(y, w))
  return { y, weight: X.einsum('bi,bj->ij', y, y) }
})

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds))

// a worker that is killed before it began to run ends with code 0, else with 1
const died = 'gpu.js webasm: a worker died (it ended with code N); running again starts another one'

test('100 workers killed at moments spread over a run: every run is right to the bit or says so, and all ends', async () => {
  const post = vi.spyOn(Worker.prototype, 'postMessage')
  const target = gpuJs({ threads: 3 })
  const compiled = Build.build(target, { batch: 128 })('program', program)
  if (E.isLeft(compiled)) throw new Error(Build.showError(compiled.left))
  const values = {
    x: { shape: [128, 224], data: Float32Array.from({ length: 128 * 224 }, (_, i) => Math.sin(i)) },
    w: { shape: [224, 224], data: Float32Array.from({ length: 224 * 224 }, (_, i) => Math.cos(7 * i) / 15) }
  }
  const run = compiled.right.run(values)
  const expected = await run()
  expect(E.isRight(expected)).toBe(true)
  const began = performance.now()
  await run()
  const usual = performance.now() - began
  const said: Array<string> = []
  for (let i = 0; i < kills; i++) {
    const kill = async (): Promise<void> => {
      await wait((usual * i) / kills)
      const living = [...new Set(post.mock.contexts)].filter((one) => one instanceof Worker && one.threadId > 0)
      const victim = living[i % Math.max(1, living.length)]
      if (victim instanceof Worker) await victim.terminate()
    }
    const [result] = await Promise.all([run(), kill()])
    said.push(
      E.isLeft(result)
        ? showTargetError(result.left).replace(/code [01]/, 'code N')
        : isDeepStrictEqual(result, expected)
          ? 'right'
          : 'wrong'
    )
  }
  const started = new Set(post.mock.contexts).size
  const ended = said.filter((one) => one === died).length
  const right = said.filter((one) => one === 'right').length
  record('Threads', 'Threads that are killed at moments spread over a run that they share.', [
    {
      fault: 'a thread killed during a run',
      tried: kills,
      found: { 'right to the bit': right, 'said that one died': ended, otherwise: kills - right - ended }
    }
  ])
  expect(new Set(said)).toEqual(new Set(['right', died]))
  expect(await run()).toEqual(expected)
  process.stdout.write(
    `${kills - ended} runs were right, ${ended} said that a worker died; ${started} workers were started\n`
  )
  expect(started).toBeGreaterThan(kills / 2)
  await compiled.right.dispose()
  await target.dispose()
})
