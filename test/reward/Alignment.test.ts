import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { logProbabilityOf } from '../../src/network/Classifier.js'
import * as Faces from '../../cli/tasks/faces/Faces.js'
import * as Text from '../../cli/tasks/faces/text/Text.js'
import * as TextCondition from '../../cli/tasks/faces/text/Condition.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import { logProbabilityOfCondition, type Total } from '../../src/reward/Alignment.js'
import * as Program from '../../src/tensor/Program.js'
import { reference, type Target } from '../../src/tensor/Target.js'
import { get } from '../network/adjoint.js'

const blocks = Faces.attributeNames.map(Faces.block)

const condition = (text: string): ReadonlyArray<number> =>
  get(E.flatMap(TextCondition.imageCondition)(Text.parse(text)))

const program = (total: Total): Program.Program =>
  get(
    Program.make({ z: ['batch', 34], c: ['batch', 34] } as const, ({ z, c }) => ({
      value: logProbabilityOfCondition(blocks, 34, c, total).forward({}, z)
    }))
  )

const run = async (
  total: Total,
  z: ReadonlyArray<number>,
  c: ReadonlyArray<number>,
  target: Target = reference
): Promise<number> => {
  const executable = get(target.compile(program(total), { batch: 1 }))
  const row = (data: ReadonlyArray<number>): Program.Values[string] => ({
    shape: [1, 34],
    data: Float64Array.from(data)
  })
  const out = get(await executable.run({ z: row(z), c: row(c) })())
  await executable.dispose()
  return out['value']?.data[0] ?? Number.NaN
}

const direct = (lens: ReturnType<typeof logProbabilityOf>): ((z: ReadonlyArray<number>) => Promise<number>) => {
  const one = get(Program.make({ z: ['batch', 34] } as const, ({ z }) => ({ value: lens.forward({}, z) })))
  const executable = get(reference.compile(one, { batch: 1 }))
  return async (z) =>
    get(await executable.run({ z: { shape: [1, 34], data: Float64Array.from(z) } })())['value']?.data[0] ?? Number.NaN
}

const logits = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 34, maxLength: 34 })
const of = (attribute: Faces.AttributeName, values: ReadonlyArray<string>): ReturnType<typeof logProbabilityOf> =>
  logProbabilityOf(Faces.labelWidth, Faces.block(attribute), Faces.positions(attribute, values))
const blue = direct(of('hairColor', ['blue']))
const hat = direct(of('hat', ['red beanie', 'black top hat', 'green cap']))

// sums of a few numbers of at most 40 in f64
const close = 40 * 64 * 2 ** -53

describe('alignment', () => {
  test('is the log-probability of what is named, one value or several', async () => {
    const asked = condition('a face with blue hair and a hat')
    await fc.assert(
      fc.asyncProperty(logits, async (z) => {
        const expected = (await blue(z)) + (await hat(z))
        expect(Math.abs((await run('sum', z, asked)) - expected)).toBeLessThan(close)
        expect(Math.abs((await run('mean', z, asked)) - expected / 2)).toBeLessThan(close)
      }),
      { numRuns: 20 }
    )
  })

  test('with an open prompt is 0', async () => {
    const z = Array.from({ length: 34 }, (_, i) => Math.sin(3 * i))
    expect(Math.abs(await run('sum', z, condition('a face')))).toBe(0)
    expect(Math.abs(await run('mean', z, condition('a face')))).toBe(0)
  })

  test('of all prompts that name one value, the probabilities add to one', async () => {
    const z = Array.from({ length: 34 }, (_, i) => 5 * Math.sin(3 * i))
    const all = ['no hat', 'a red hat', 'a black hat', 'a green hat'].map((text) => run('sum', z, condition(text)))
    const total = (await Promise.all(all)).reduce((sum, log) => sum + Math.exp(log), 0)
    expect(Math.abs(total - 1)).toBeLessThan(close)
    // and a prompt that is read as another one is caught
    const twice = Math.exp(await run('sum', z, condition('a red hat')))
    expect(Math.abs(total + twice - 1)).toBeGreaterThan(close)
  })

  test('runs in f32 too, where a value that is asked for is almost impossible', async () => {
    const target = gpuJs()
    const z = Array.from({ length: 34 }, (_, i) => (i % 2 === 0 ? 60 : -60))
    const asked = condition('a face with brown hair, no glasses and a full beard')
    const expected = await run('sum', z, asked)
    expect(expected).toBeLessThan(-100)
    // about ten operations on numbers of at most 240
    expect(Math.abs((await run('sum', z, asked, target)) - expected)).toBeLessThan(10 * 240 * 2 ** -23)
    await target.dispose()
  })
})
