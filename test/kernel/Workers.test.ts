import { execFile } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import { build } from 'vite'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { gpuJs } from '../../src/kernel/index.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import { type Executable, showTargetError, type Target, type TargetError } from '../../src/tensor/Target.js'

const made = Program.make({ x: ['batch', 224], w: [224, 224] }, ({ x, w }) => {
  let y = x
  for (let t = 0; t < 16; t++) y = X.tanh(X.matmul(y, w))
  return { y }
})

const compiled = (target: Target, batch = 64): Executable => {
  if (E.isLeft(made)) throw new Error(JSON.stringify(made.left))
  const result = target.compile(made.right, { batch })
  if (E.isLeft(result)) throw new Error(showTargetError(result.left))
  return result.right
}

const values = (batch = 64): Program.Values => ({
  x: { shape: [batch, 224], data: Float32Array.from({ length: 224 * batch }, (_, i) => Math.sin(i)) },
  w: { shape: [224, 224], data: Float32Array.from({ length: 224 * 224 }, (_, i) => Math.cos(7 * i) / 15) }
})

const said = (result: E.Either<TargetError, unknown>): string =>
  E.isLeft(result) ? showTargetError(result.left) : 'a right'

const bits = (result: E.Either<TargetError, Program.Values>): ArrayLike<number> => {
  if (E.isLeft(result)) throw new Error(showTargetError(result.left))
  return result.right['y']?.data ?? []
}

/** The workers that are started from now on. */
const watched = (): (() => ReadonlyArray<Worker>) => {
  const post = vi.spyOn(Worker.prototype, 'postMessage')
  return () => [...new Set(post.mock.contexts.filter((one) => one instanceof Worker))]
}

const died = 'gpu.js webasm: a worker died (it ended with code 1); running again starts another one'

afterEach(() => {
  vi.restoreAllMocks()
})

describe('threads', () => {
  test.each([1e9, 257, 0, -1, 1.5, Number.NaN, Infinity])('%d of them are refused', (threads) => {
    expect(E.isRight(made) && said(gpuJs({ threads }).compile(made.right, { batch: 64 }))).toBe(
      `gpu.js webasm: threads: expected a whole number from 1 to 256, got ${threads}; ` +
        'leave it out, or ask for as many as the machine has cores'
    )
  })

  test('are at most 256, which start when they are needed', async () => {
    const workers = watched()
    const target = gpuJs({ threads: 256 })
    compiled(target)
    expect(workers()).toEqual([])
    await target.dispose()
  })
})

describe('a worker that dies', () => {
  test('between two runs is replaced: runs, new executables and disposing go on', async () => {
    const workers = watched()
    const target = gpuJs({ threads: 2 })
    const executable = compiled(target)
    const before = bits(await executable.run(values())())
    const [worker] = workers()
    await worker?.terminate()
    expect(bits(await executable.run(values())())).toEqual(before)
    expect(workers()).toHaveLength(2)
    await workers()[1]?.terminate()
    const other = compiled(target, 80)
    expect(bits(await other.run(values(80))()).length).toBe(80 * 224)
    await executable.dispose()
    await other.dispose()
    await workers().at(-1)?.terminate()
    await target.dispose()
  })

  test('while it is asked to run ends that run with a left, and the next one is right', async () => {
    const workers = watched()
    const target = gpuJs({ threads: 3 })
    const executable = compiled(target)
    const before = bits(await executable.run(values())())
    for (let i = 0; i < 5; i++) {
      const ends = workers().map((worker) => worker.terminate())
      expect(
        said(await executable.run({ ...values(), x: { shape: [64, 224], data: new Float32Array(64 * 224) } })())
      ).toBe(died)
      await Promise.all(ends)
      expect(bits(await executable.run(values())())).toEqual(before)
    }
    const ends = workers().map((worker) => worker.terminate())
    const last = executable.run(values())()
    await target.dispose()
    expect(said(await last)).toBe(died)
    await Promise.all(ends)
  })
})

describe('a worker that hangs', () => {
  test('ends the run with a left', async () => {
    const post: unknown = Reflect.get(Worker.prototype, 'postMessage')
    const deaf = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (
      this: Worker,
      message: unknown
    ) {
      const asked = typeof message === 'object' && message !== null && 'run' in message
      if (!asked && typeof post === 'function') Reflect.apply(post, this, [message])
    })
    const target = gpuJs({ threads: 2, patience: 50 })
    expect(said(await compiled(target).run(values())())).toBe(
      'gpu.js webasm: a worker died (it did not answer within 50 ms); running again starts another one'
    )
    expect(deaf).toHaveBeenCalled()
    await target.dispose()
  })

  test.each([0, -1, Number.NaN])('is not waited for %d milliseconds', (patience) => {
    expect(E.isRight(made) && said(gpuJs({ threads: 2, patience }).compile(made.right, { batch: 64 }))).toBe(
      `gpu.js webasm: patience: expected milliseconds above 0, got ${patience}; leave it out, or raise it`
    )
  })
})

describe('a worker that can not be started', () => {
  test('is a left of every run, and of nothing else', async () => {
    const found = vi.spyOn(process, 'getBuiltinModule').mockImplementation(() => {
      throw new Error('Access to this API has been restricted')
    })
    const target = gpuJs({ threads: 2 })
    const executable = compiled(target)
    const denied =
      'gpu.js webasm: a worker could not be started (Access to this API has been restricted); ' +
      'allow workers (Node with --permission: --allow-worker), or leave `threads` out'
    expect(said(await executable.run(values())())).toBe(denied)
    expect(said(await executable.run(values())())).toBe(denied)
    found.mockRestore()
    expect(said(await executable.run(values())())).toBe('a right')
    await executable.dispose()
    await target.dispose()
  })

  test('because Node denies it is a left, and no rejection is left over', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'halforder-denied-'))
    const entry = fileURLToPath(new URL('./denied.ts', import.meta.url))
    await build({
      configFile: false,
      logLevel: 'error',
      build: { outDir: folder, emptyOutDir: true, ssr: entry, minify: false, target: 'node20' },
      ssr: { noExternal: true }
    })
    const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
    const script = join(realpathSync(folder), 'denied.js')
    const { stdout } = await promisify(execFile)(process.execPath, [flag, `--allow-fs-read=${script}`, script])
    rmSync(folder, { recursive: true })
    const denied =
      'gpu.js webasm: a worker could not be started (Access to this API has been restricted); ' +
      'allow workers (Node with --permission: --allow-worker), or leave `threads` out'
    // later versions of Node say more
    const found = stdout.replaceAll(/restricted[^)]*\)/g, 'restricted)')
    expect(JSON.parse(found)).toEqual({ said: [denied, denied], unhandled: [] })
  })
})
