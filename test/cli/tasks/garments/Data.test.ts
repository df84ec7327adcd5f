import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Data from '../../../../cli/tasks/garments/Data.js'
import { ofText, read } from '../../../../cli/tasks/garments/Fetching.js'
import { get } from '../../../network/adjoint.js'

/** Pictures whose first two pixels say which one it is: its place in its class, in hundreds and ones. */
const pixels = new Uint8Array(Data.total * Data.features)
for (let i = 0; i < Data.total; i++) {
  pixels[i * Data.features] = Math.floor((i % 7000) / 100)
  pixels[i * Data.features + 1] = i % 100
}
const garments = get(Data.ofBytes(pixels))

/** The places in their classes of some rows of a part, and their classes. */
const seen = (
  part: Data.Part,
  indices: ReadonlyArray<number>
): ReadonlyArray<readonly [garment: number, at: number]> => {
  const { x0, labels } = Data.source(garments)(part).rows(indices)
  const byte = (at: number): number => Math.round(((x0.data[at] ?? 0) + 1) * 127.5)
  return indices.map((_, row) => [
    labels.data.subarray(10 * row, 10 * row + 10).indexOf(1),
    100 * byte(row * Data.features) + byte(row * Data.features + 1)
  ])
}

/** Every row of a class in a part. */
const rowsOf = (part: Data.Part, garment: number): ReadonlyArray<number> =>
  seen(
    part,
    Array.from({ length: Data.count(part) / 10 }, (_, i) => 10 * i + garment)
  ).map(([is, at]) => {
    expect(is).toBe(garment)
    return at
  })

const upTo = (from: number, to: number): ReadonlyArray<number> => Array.from({ length: to - from }, (_, i) => from + i)

describe('the parts of the pictures', () => {
  it('are the first thousand of a class to test by, and the rest to train on, whose halves share nothing', () => {
    expect(rowsOf('test', 3)).toEqual(upTo(0, 1000))
    expect(rowsOf('all', 9)).toEqual(upTo(1000, 7000))
    const [first, second] = [rowsOf('first half', 0), rowsOf('second half', 0)]
    expect([first.length, second.length]).toEqual([3000, 3000])
    expect([...first, ...second].sort((a, b) => a - b)).toEqual(upTo(1000, 7000))
  })

  it('have as many rows as they say, and no more pictures than there are', () => {
    const parts: ReadonlyArray<Data.Part> = ['all', 'first half', 'second half', 'test']
    expect(parts.map(Data.count)).toEqual([60_000, 30_000, 30_000, 10_000])
    for (const part of parts) expect(seen(part, [Data.count(part) - 1])[0]?.[1]).toBeLessThan(7000)
  })

  it('take the classes in turn, from whatever row on', () => {
    expect(seen('second half', upTo(0, 12)).map(([garment]) => garment)).toEqual([...upTo(0, 10), 0, 1])
    const { rows, count } = Data.source(garments)('test', 500, 1000)
    expect(count).toBe(500)
    expect(rows([3]).x0.data).toEqual(Data.source(garments)('test').rows([503]).x0.data)
  })

  it('are numbers in [-1, 1]', () => {
    const white = get(Data.ofBytes(new Uint8Array(Data.total * Data.features).fill(255)))
    const { x0, labels } = Data.source(white)('all').rows([0])
    expect([x0.shape, labels.shape]).toEqual([
      [1, 784],
      [1, 10]
    ])
    expect(new Set(x0.data)).toEqual(new Set([1]))
    expect(Data.source(garments)('all').rows([0]).x0.data.at(-1)).toBe(-1)
  })
})

describe('bytes that are not the pictures', () => {
  it('are refused', () => {
    expect(Data.ofBytes(new Uint8Array(784))).toEqual(
      E.left('expected 70000 pictures of 784 bytes, got 784 bytes; fetch them again')
    )
  })

  it('or a file that is not there, with the command that brings it', async () => {
    expect(await read('nowhere/images')()).toEqual(
      E.left(
        "the pictures of garments are not here: run 'halforder fetch --task garments', which writes nowhere/images"
      )
    )
  })
})

describe('the text of a class', () => {
  const row = JSON.stringify(upTo(0, 784).map((i) => i % 256))

  it('is rows of bytes, without those that are empty', () => {
    expect(get(ofText(`{ "data": [${row}, [], ${row}] }`))).toEqual(
      Uint8Array.from([...upTo(0, 784), ...upTo(0, 784)], (i) => i % 256)
    )
  })

  it.each([
    ['{', 'it is no JSON'],
    ['{ "data": 3 }', 'it has no rows of numbers'],
    ['{ "data": [["a"]] }', 'it has no rows of numbers'],
    ['{ "data": [[1, 2]] }', 'a row is no 784 whole numbers from 0 to 255'],
    [`{ "data": [${row.replace('255', '256')}] }`, 'a row is no 784 whole numbers from 0 to 255'],
    [`{ "data": [${row.replace('255', '0.5')}] }`, 'a row is no 784 whole numbers from 0 to 255']
  ])('%.20s is refused', (text, reason) => {
    expect(ofText(text)).toEqual(E.left(reason))
  })
})
