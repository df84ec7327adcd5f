import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { expect, it } from 'vitest'
import { Polynomial, Run } from '../../laws/index.js'
import { fromModule, training } from '../../src/task/Task.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Key from '../../src/random/Key.js'
import { get } from '../network/adjoint.js'
import { contrast } from './additions/Contrast.js'
import { halves, row } from './additions/Halves.js'
import { task as rings } from './additions/Rings.js'
import { softplus } from './additions/Softplus.js'
import { square } from './additions/Square.js'

const here = fileURLToPath(new URL('additions', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))

/** Where the page says that each file is. */
const places: Readonly<Record<string, string>> = {
  Halves: 'src/estimator/catalogue',
  Contrast: 'src/reward',
  Softplus: 'src/lens/layer',
  Square: 'src/tensor',
  Rings: 'cli/tasks/rings'
}

const page = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')

/** A file as it is at its place: with imports from there. */
const placed = (name: string): string =>
  readFileSync(join(here, `${name}.ts`), 'utf8').replaceAll(/'(\.{1,2}\/[^']+)'/g, (_, path: string) => {
    const from = relative(join(root, places[name] ?? ''), resolve(here, path))
    return `'${from.startsWith('.') ? from : `./${from}`}'`
  })

it('shows the files that are run here, whole but for the imports of a single function', () => {
  expect(readdirSync(here).sort()).toEqual(
    Object.keys(places)
      .map((name) => `${name}.ts`)
      .sort()
  )
  const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block = '']) => block)
  for (const name of Object.keys(places)) {
    const text = name === 'Square' ? placed(name).slice(placed(name).indexOf('/**')) : placed(name)
    expect(blocks).toContain(text)
  }
})

it('adds an estimator that keeps its laws, and the row makes the same', async () => {
  const setting = Polynomial.polynomialSetting(1, { alpha: 0.5, a: 0.25, b: 0.5, sigma: [0.5, 0.5, 0.5] }, [0, 1, -1])
  const estimator = get(halves(3))
  await Run.estimator(setting)({ estimator })
  expect(row.build({ T: 3, differentiable: true, noisyFirst: true, clean: false }, { name: 'halves' })).toEqual(
    E.right(estimator)
  )
})

it('adds a reward and a layer that keep theirs', async () => {
  await Run.lens({ name: 'contrast', lens: contrast(3).lens({}), argument: ['batch', 3], sizes: { batch: 2 } })
  await Run.lens({ name: 'softplus', lens: softplus(), argument: ['batch', 3], sizes: { batch: 2 } })
})

it('adds an operation that every target has', () => {
  const program = get(Program.make({ x: [2] }, ({ x }) => ({ y: square(x) })))
  const values = get(Reference.run(program, {}, { x: { shape: [2], data: Float64Array.of(-3, 0.5) } }))
  expect(Array.from(values['y']?.data ?? [])).toEqual([9, 0.25])
})

it('adds a task', async () => {
  const task = get(fromModule(rings))
  expect(task.name).toBe('rings')
  const ring = get(training(task)('ring'))
  const prepared = get(await ring.prepare(Key.make(1), 8)())
  expect(Object.keys(prepared.batches(4, Key.make(2))(0))).toContain('x0')
})
