/**
 * The text of shaders, where no GPU is needed to see what it is: numbers that are apart, threads that share what they read, and
 * which block is taken.
 */
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { lengths } from '../../../src/kernel/plan/Lengths.js'
import { plan, type Plan } from '../../../src/kernel/plan/Plan.js'
import { alike } from '../../../src/kernel/webgpu/Alike.js'
import { kernelWgsl, type Shader, wayName, ways } from '../../../src/kernel/webgpu/KernelWgsl.js'
import { factsOf } from '../../../src/kernel/webgpu/ShaderPipeline.js'
import type { Facts } from '../../../src/kernel/webgpu/TermWgsl.js'
import { conv2d } from '../../../src/lens/layer/Convolution.js'
import * as X from '../../../src/tensor/Expr.js'
import * as Program from '../../../src/tensor/Program.js'
import type { Case } from '../arbitrary.js'
import { close } from '../examples.js'

type Threads = Pick<Facts, 'subgroup' | 'quads'>

const played: Threads = { subgroup: 4, quads: true }
const plain: Threads = { subgroup: 4, quads: false }
const large: Threads = { subgroup: 32, quads: true }

const planned = ({ program, sizes = {} }: Case): Plan => {
  const bound = Program.bind(program, sizes)
  if (E.isLeft(bound)) throw new Error(JSON.stringify(bound.left))
  return plan(bound.right, { buffers: 7, fuse: true })
}

interface Written extends Shader {
  readonly way: string
}

/** The shaders of a case, each in the way that is `at` in its list, or the first. */
const shadersOf = (example: Case, threads: Threads, at = 0): ReadonlyArray<Written> => {
  const whole = planned(example)
  const facts = factsOf(whole, lengths(whole, 4), threads)
  return whole.kernels.flatMap((kernel, i) => {
    const known = facts[i]
    const open = known === undefined ? [] : ways(kernel, known)
    const way = open[at % open.length]
    return known === undefined || way === undefined ? [] : [{ ...kernelWgsl(kernel, known, way), way: wayName(way) }]
  })
}

/** Two convolutions and two products of different sizes. */
const layers = close(
  {
    x: ['batch', 8, 8, 8],
    y: ['batch', 4, 4, 16],
    w: [3, 3, 16, 16],
    a: [32, 24],
    b: [24, 16],
    c: [64, 12],
    d: [12, 32]
  },
  ({ x, y, w, a, b, c, d }) => ({
    one: conv2d(8, 16, {}).forward({ weight: X.slice(w, 2, 0, 8), bias: X.fill([16], 0) }, x),
    two: conv2d(16, 16, {}).forward({ weight: w, bias: X.fill([16], 0) }, y),
    p: X.matmul(a, b),
    q: X.matmul(c, d)
  }),
  { batch: 2 }
)

/** A text with its numbers written where it reads them. */
const filled = ({ text, numbers }: Shader): string => {
  if (numbers.length === 0) return text
  return text
    .split('\n')
    .filter((line) => !/^let n\d+ = numbers\[/.test(line) && !line.startsWith('@group(1)'))
    .map((line) => line.replace(/\bn(\d+)\b/g, (_, i) => `${numbers[Number(i)]}u`))
    .join('\n')
}

describe('shaders that differ in numbers only', () => {
  test.each([0, 1, 2, 3])('have one text, which is theirs with the numbers written in (way %i)', (at) => {
    const before = shadersOf(layers, played, at)
    const after = alike(before)
    expect(after.map(filled)).toEqual(before.map(({ text }) => text))
    expect(after.map(({ groups }) => groups)).toEqual(before.map(({ groups }) => groups))
    expect(new Set(after.map(({ text }) => text)).size).toBeLessThan(new Set(before.map(({ text }) => text)).size)
  })

  test('read each of their numbers where it is declared to be', () => {
    for (const { text, numbers } of alike(shadersOf(layers, played))) {
      const declared = /numbers : array<vec4u, (\d+)>/.exec(text)?.[1]
      expect(declared).toBe(numbers.length === 0 ? undefined : String(Math.ceil(numbers.length / 4)))
      const read = [...text.matchAll(/let n(\d+) = numbers\[(\d+)\]\.([xyzw])/g)]
      expect(read.map(([, , vector, letter]) => 4 * Number(vector) + 'xyzw'.indexOf(letter ?? ''))).toEqual(
        numbers.map((_, i) => i)
      )
    }
  })

  test('are not others: what stands alone is as it was', () => {
    const [first] = shadersOf(
      close({ a: [8, 12], b: [12, 16] }, ({ a, b }) => ({ y: X.matmul(a, b) })),
      played
    )
    const alone = first === undefined ? [] : [first]
    expect(alike(alone)).toEqual(alone)
    expect(alike([...alone, ...alone])).toEqual([...alone, ...alone])
  })
})

describe('threads that share what they read', () => {
  const product = close({ a: [256, 256], b: [256, 256] }, ({ a, b }) => ({ y: X.matmul(a, b) }))
  const ragged = close({ a: [37, 10], b: [10, 12] }, ({ a, b }) => ({ y: X.matmul(a, b) }))

  test('come first where a processor plays a GPU, and only where they can hand on', () => {
    expect(shadersOf(product, played)[0]?.way).toBe('4 x 8 a thread, four share what they read')
    expect(shadersOf(product, plain).map(({ way }) => way)).toEqual(['4 x 4 a thread'])
    expect(shadersOf(product, large)[0]?.way).not.toContain('share')
    for (let at = 0; at < 16; at++) {
      for (const { text } of shadersOf(product, plain, at)) expect(text).not.toMatch(/subgroup|quadBroadcast/)
    }
  })

  test('stay until all of them have read', () => {
    for (const example of [product, ragged]) {
      const shared = Array.from({ length: 16 }, (_, at) => shadersOf(example, played, at)).flat()
      const texts = shared.filter(({ way }) => way.includes('share')).map(({ text }) => text)
      expect(texts.length).toBeGreaterThan(0)
      for (const text of texts) {
        expect(text.startsWith('enable subgroups;\n')).toBe(true)
        const leave = text.indexOf('return')
        expect(leave === -1 || leave > text.lastIndexOf('quadBroadcast')).toBe(true)
      }
    }
  })

  test('are fewer reads: a quarter of those of the right operand', () => {
    const reads = (way: string): number => {
      const all = Array.from({ length: 16 }, (_, at) => shadersOf(product, played, at)).flat()
      return (all.find((one) => one.way === way)?.text.match(/= b1\[/g) ?? []).length
    }
    expect(reads('4 x 8 a thread')).toBe(8)
    expect(reads('4 x 8 a thread, four share what they read')).toBe(2)
  })
})
