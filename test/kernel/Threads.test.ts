import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, test } from 'vitest'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import * as Blocks from '../../src/tensor/rows/RowBlocks.js'
import { ofBlock, split } from '../../src/tensor/rows/RowKinds.js'
import { compile } from '../../src/kernel/threads/Threads.js'
import type { Pool } from '../../src/kernel/threads/Workers.js'
import { conv2d } from '../../src/lens/layer/Convolution.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Sh from '../../src/tensor/Shape.js'
import { showTargetError, type Target } from '../../src/tensor/Target.js'
import { size } from '../../src/tensor/Tensor.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { disagreement } from './arbitrary.js'

const make = <const I extends Shapes>(
  inputs: I,
  body: Parameters<typeof Program.make<I, Exprs>>[1]
): Program.Program => {
  const program = Program.make(inputs, body)
  if (E.isLeft(program)) throw new Error(JSON.stringify(program.left))
  return program.right
}

const kinds = <const I extends Shapes>(inputs: I, body: Parameters<typeof Program.make<I, Exprs>>[1]): unknown => {
  const found = split(make(inputs, body), 'batch')
  return found && Object.values(found.outputs).map(({ kind }) => kind)
}

const valuesOf = (program: Program.Program, batch: number): Program.Values =>
  Object.fromEntries(
    program.inputs.map(({ name, shape }, salt) => {
      const { bound } = Sh.bind(shape, { batch })
      return [
        name,
        { shape: bound, data: Float32Array.from({ length: size(bound) }, (_, i) => Math.sin(7 * i + salt)) }
      ]
    })
  )

/** All bits of some values, in short: to compare arrays of many thousand numbers as objects takes a second. */
const bitsOf = (values: Program.Values): string => {
  const hash = createHash('sha256')
  for (const [name, { shape, data }] of Object.entries(values)) hash.update(`${name} [${shape.join()}]`).update(data)
  return hash.digest('hex')
}

const run = async (target: Target, program: Program.Program, batch: number): Promise<Program.Values> => {
  const compiled = target.compile(program, { batch })
  if (E.isLeft(compiled)) throw new Error(showTargetError(compiled.left))
  const first = await compiled.right.run(valuesOf(program, batch))()
  const second = await compiled.right.run(valuesOf(program, batch))()
  await compiled.right.dispose()
  if (E.isLeft(first)) throw new Error(showTargetError(first.left))
  if (E.isLeft(second)) throw new Error(showTargetError(second.left))
  expect(bitsOf(second.right)).toBe(bitsOf(first.right))
  return first.right
}

describe('what a value is to the rows of a batch', () => {
  test('rows: what belongs to one row only', () => {
    expect(
      kinds({ x: ['batch', 4], w: [4, 3], s: [5, 'batch', 3] }, ({ x, w, s }) => {
        const y = X.tanh(X.matmul(x, w))
        return { y, first: X.add(y, X.take(s, 0, X.scalar(1))), norm: X.sum(X.mul(y, y), [1]), max: X.maximum(y, [1]) }
      })
    ).toEqual(['Rows', 'Rows', 'Rows', 'Rows'])
  })

  test('sums over rows, also scaled and joined; the size of the batch is that of all of it', () => {
    expect(
      kinds({ x: ['batch', 4], y: ['batch', 3] }, ({ x, y }) => {
        const product = X.einsum('bi,bj->ij', x, y)
        return {
          product,
          mean: X.div(X.sum(y, [0]), X.size('batch')),
          minus: X.neg(X.sub(X.scale(product, 2), product)),
          fixed: X.scalar(3)
        }
      })
    ).toEqual(['Sum', 'Sum', 'Sum', 'Fixed'])
  })

  test('mixed: what compares rows, or is no linear function of a sum', () => {
    const input = { x: ['batch', 4] } as const
    expect(kinds(input, ({ x }) => ({ a: X.sub(x, X.sum(x, [0])) }))).toBeUndefined()
    expect(kinds(input, ({ x }) => ({ a: X.tanh(X.sum(x, [0])) }))).toBeUndefined()
    expect(kinds(input, ({ x }) => ({ a: X.add(X.sum(x, [0]), X.scalar(1)) }))).toBeUndefined()
    expect(kinds(input, ({ x }) => ({ a: X.maximum(x, [0]) }))).toBeUndefined()
    expect(kinds(input, ({ x }) => ({ a: X.einsum('bi,ci->bc', x, x) }))).toBeUndefined()
    expect(kinds(input, ({ x }) => ({ a: X.reshape(x, [4, 'batch']) }))).toBeUndefined()
    expect(kinds(input, () => ({ a: X.scalar(1) }))).toBeUndefined()
  })

  test('what comes after something is computed from its own rows', () => {
    expect(kinds({ x: ['batch', 4], y: ['batch', 3] }, ({ x, y }) => ({ a: X.after(x, [y]) }))).toEqual(['Rows'])
  })
})

describe('blocks of rows', () => {
  test('cover the batch one after the other, and are counted by their lengths', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 256 }), (batch, threads) => {
        for (const { count, at, lengths } of [Blocks.forSums(batch), Blocks.forRows(batch, threads)]) {
          const blocks = Array.from({ length: count }, (_, i) => at(i))
          const counted = new Map<number, number>()
          let next = 0
          for (const { from, to } of blocks) {
            expect(from).toBe(next)
            expect(to).toBeGreaterThan(from)
            counted.set(to - from, (counted.get(to - from) ?? 0) + 1)
            next = to
          }
          expect(next).toBe(batch)
          expect([...lengths].sort(([a], [b]) => a - b)).toEqual([...counted].sort(([a], [b]) => a - b))
        }
      })
    ))

  test('of sums are the same for any number of threads, and 2^26 of them are no list', () => {
    expect(Blocks.forSums(2 ** 31)).toMatchObject({ count: 2 ** 26, lengths: [[32, 2 ** 26]] })
    expect(Blocks.forSums(2 ** 31).at(2 ** 26 - 1)).toEqual({ from: 2 ** 31 - 32, to: 2 ** 31 })
  })
})

describe('a program in blocks', () => {
  type Choice = readonly [kind: number, a: number, b: number]

  const pick = <A>(items: ReadonlyArray<A>, at: number, fallback: A): A => items[at % items.length] ?? fallback

  const grow = (exprs: ReadonlyArray<X.Expr>, [kind, a, b]: Choice): X.Expr => {
    const x = pick(exprs, a, X.scalar(1))
    const rank = x.shape.length
    const axis = rank === 0 ? 0 : b % rank
    const same = exprs.filter((e) => Sh.equals(e.shape, x.shape))
    const y = pick(same, b, x)
    switch (kind % 12) {
      case 0:
        return pick<X.Unary>([X.tanh, X.neg, X.sigmoid], b, X.abs)(x)
      case 1:
        return pick<(p: X.Expr, q: X.Expr) => X.Expr>([X.add, X.sub, X.mul, X.max], a + b, X.add)(x, y)
      case 2:
        return rank === 0 ? x : X.sum(x, [axis])
      case 3:
        return rank === 0 ? x : X.maximum(x, [axis])
      case 4:
        return X.permute(x, [...x.shape.keys()].reverse())
      case 5:
        return X.broadcastTo(x, ['batch', ...x.shape.filter((d) => d !== 'batch')].slice(-Math.max(rank, 1)))
      case 6: {
        const labels = 'abcde'.slice(0, rank)
        const right = labels.replace(labels[axis] ?? '', 'z')
        const spec: string = `${labels},${b % 2 === 0 ? labels : right}->${b % 3 === 0 ? labels : labels.slice(1)}`
        return rank === 0 ? x : X.einsum<string, Sh.Shape, Sh.Shape>(spec, x, y)
      }
      case 7:
        return X.concat([x, y], axis)
      case 8:
        return X.div(x, X.size('batch'))
      case 9:
        return rank === 2 ? X.reshape(x, [x.shape[1] ?? 1, x.shape[0] ?? 1]) : x
      case 10:
        return b % 2 === 0 ? X.scale(x, 0.5) : X.after(x, [pick(exprs, b, x)])
      default:
        return X.select(X.less(X.scalar(0), X.scalar(1)), X.sumTo(x, []), X.scalar(0))
    }
  }

  test('gives what the whole program gives', () => {
    let tried = 0
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(999), fc.nat(999), fc.nat(999)), { minLength: 1, maxLength: 9 }),
        (choices) => {
          const program = Program.make({ x: ['batch', 3], y: [3, 'batch', 2], w: [3, 3] }, (inputs) => {
            const exprs: Array<X.Expr> = Object.values(inputs)
            for (const choice of choices) exprs.push(grow(exprs, choice))
            return { out: exprs.at(-1) ?? X.scalar(0) }
          })
          const found = E.isRight(program) ? split(program.right, 'batch') : undefined
          if (E.isLeft(program) || found === undefined) return
          const whole = Program.bind(program.right, { batch: 5 })
          if (E.isLeft(whole)) throw new Error(JSON.stringify(whole.left))
          const values = valuesOf(program.right, 5)
          const collector = Blocks.collector(whole.right, found)
          for (const [i, block] of [
            { from: 0, to: 2 },
            { from: 2, to: 5 }
          ].entries()) {
            const sizes = { batch: block.to - block.from }
            const part = Reference.run(ofBlock(program.right, 'batch', 5), sizes, Blocks.inputsOf(found, values, block))
            if (E.isLeft(part)) throw new Error(JSON.stringify(part.left))
            collector.add(i, block, (name) => part.right[name]?.data ?? new Float64Array(0))
          }
          const expected = Reference.run(program.right, { batch: 5 }, values)
          if (E.isLeft(expected)) throw new Error(JSON.stringify(expected.left))
          tried++
          const got = collector.values()['out']?.data ?? []
          // one rounding to f32, and sums in f64 in another order
          expected.right['out']?.data.forEach((x, i) => {
            expect(Math.abs((got[i] ?? NaN) - x)).toBeLessThanOrEqual(2 ** -24 * Math.abs(x) + 2 ** -40)
          })
        }
      ),
      { numRuns: 1500 }
    )
    expect(tried).toBeGreaterThan(200)
  })
})

describe('threads', () => {
  const targets = [1, 2, 3].map((threads) => gpuJs({ threads }))
  const plain = gpuJs()
  afterAll(async () => {
    await Promise.all([plain, ...targets].map((target) => target.dispose()))
  })

  const wide = make({ x: ['batch', 224], w: [224, 224], n: [16, 'batch', 224] }, ({ x, w, n }) => {
    let y = x
    for (let t = 0; t < 16; t++) y = X.add(X.tanh(X.matmul(y, w)), X.take(n, 0, X.scalar(t)))
    return { y, norm: X.sum(X.mul(y, y), [1]), turned: X.permute(y, [1, 0]) }
  })

  const gradient = make({ x: ['batch', 12, 12, 8], weight: [3, 3, 8, 16], bias: [16] }, ({ x, weight, bias }) => {
    const [y, back] = conv2d(8, 16).run({ weight, bias }, x)
    const [parameters, argument] = back(X.div(y, X.broadcastTo(X.size('batch'), y.shape)))
    return { parameters, argument, rate: X.scalar(0.5), loss: X.sum(X.mul(y, y), [0, 1, 2, 3]) }
  })

  test.each([8, 61, 64])('give the bits of one thread for what has rows, batch %d', async (batch) => {
    const ran = await Promise.all([...targets, plain].map((target) => run(target, wide, batch)))
    expect(new Set(ran.map(bitsOf)).size).toBe(1)
  })

  test.each([4, 37, 64])('give the bits of one thread for sums over rows, batch %d', async (batch) => {
    const ran = await Promise.all(targets.map((target) => run(target, gradient, batch)))
    expect(new Set(ran.map(bitsOf)).size).toBe(1)
  })

  test('agree with the reference on sums over rows', async () => {
    const example = { program: gradient, values: valuesOf(gradient, 20), sizes: { batch: 20 } }
    for (const target of targets) expect(disagreement(example, await run(target, gradient, 20))).toBeUndefined()
  })

  test('what a run gave stays when another one has run', async () => {
    const both = make({ x: ['batch', 224], w: [224, 224] }, ({ x, w }) => {
      let y = x
      for (let t = 0; t < 8; t++) y = X.tanh(X.matmul(y, w))
      return { y, of: X.sum(y, [0]), fixed: X.sin(w) }
    })
    const compiled = targets[1]?.compile(both, { batch: 64 })
    if (compiled === undefined || E.isLeft(compiled)) throw new Error('not compiled')
    const values = valuesOf(both, 64)
    const others = Object.fromEntries(
      Object.entries(values).map(([name, { shape, data }]) => [name, { shape, data: data.map((x) => 2 * x) }])
    )
    const numbers = (ran: E.Either<unknown, Program.Values>): string =>
      E.isRight(ran)
        ? Object.values(ran.right)
            .flatMap(({ data }) => [...data])
            .join()
        : ''
    const first = await compiled.right.run(values)()
    const kept = numbers(first)
    expect(numbers(await compiled.right.run(others)()) === kept).toBe(false)
    expect(numbers(first) === kept).toBe(true)
    await compiled.right.dispose()
  })

  test('what mixes rows runs whole', async () => {
    const mixed = make({ x: ['batch', 64] }, ({ x }) => ({ y: X.einsum('bi,ci->bc', x, X.sub(x, X.sum(x, [0]))) }))
    expect(await run(targets[1] ?? plain, mixed, 96)).toEqual(await run(plain, mixed, 96))
  })

  test('compiling for other sizes again and again uses the same memories', async () => {
    const target = gpuJs({ threads: 2 })
    const bits: Array<string> = []
    for (const batch of [64, 96, 64, 128, 96, 64]) bits.push(bitsOf(await run(target, wide, batch)))
    expect(bits[2]).toBe(bits[0])
    expect(bits[5]).toBe(bits[0])
    expect(bits[4]).toBe(bits[1])
    expect(bits[0]).toBe(bitsOf(await run(plain, wide, 64)))
    await target.dispose()
  })

  test('a run that fails ends on every thread before the next one begins', async () => {
    const log: Array<string> = []
    const ends: Array<() => void> = []
    // the first thread fails at once, the second one takes its time
    const pool: Pool = {
      size: 2,
      load: (thread, { pages }) => ({
        run: async () => {
          log.push(`thread ${thread} begins`)
          if (thread === 0) return E.left({ _tag: 'Ended', reason: 'it ended with code 9' })
          await new Promise<void>((resolve) => void ends.push(resolve))
          log.push(`thread ${thread} ends`)
          return E.right(new Float32Array(16384 * pages.initial))
        },
        drop: () => void log.push(`thread ${thread} drops`)
      }),
      dispose: async () => undefined
    }
    const alone = (): never => {
      throw new Error('not alone')
    }
    // 37 rows for sums are two blocks of 16 and one of 5
    const compiled = compile({ name: 'threads', pool, fma: false, alone }, gradient, { batch: 37 })
    if (E.isLeft(compiled)) throw new Error(showTargetError(compiled.left))
    const [first, second] = [1, 2].map(() => compiled.right.run(valuesOf(gradient, 37))())
    const free = compiled.right.dispose()
    while (ends.length < 1) await new Promise((resolve) => void setTimeout(resolve, 1))
    expect(log).toEqual(['thread 0 begins', 'thread 1 begins'])
    ends[0]?.()
    while (ends.length < 2) await new Promise((resolve) => void setTimeout(resolve, 1))
    ends[1]?.()
    const reason = 'a worker died (it ended with code 9); running again starts another one'
    expect(await first).toEqual(E.left({ _tag: 'Failed', target: 'threads', reason }))
    expect(await second).toEqual(await first)
    await free
    const one = ['thread 0 begins', 'thread 1 begins', 'thread 1 ends']
    expect(log).toEqual([...one, ...one, 'thread 0 drops', 'thread 1 drops'])
  })

  test('overlapping runs keep their own inputs, and disposing ends the workers', async () => {
    const target = gpuJs({ threads: 2 })
    const compiled = target.compile(wide, { batch: 64 })
    if (E.isLeft(compiled)) throw new Error(showTargetError(compiled.left))
    const values = valuesOf(wide, 64)
    const others = { ...values, x: { shape: [64, 224], data: new Float32Array(64 * 224) } }
    const together = await Promise.all([values, others, values].map((v) => compiled.right.run(v)()))
    expect(together[2]).toEqual(together[0])
    expect(together[1]).not.toEqual(together[0])
    const last = compiled.right.run(values)()
    await target.dispose()
    expect(E.isRight(await last)).toBe(true)
    expect(await compiled.right.run(values)()).toEqual(E.left({ _tag: 'Disposed', target: 'gpu.js webasm' }))
  })
})
