import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, test } from 'vitest'
import { drawExamples } from '../../../cli/command/Examples.js'
import { sample, type SampleOptions } from '../../../cli/command/Sample.js'
import { take } from '../../../cli/edge/Lock.js'
import * as Safetensors from '../../../src/format/Safetensors.js'
import { captured, type Ran } from '../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-examples-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const draw = (out: string, seed = '1'): Promise<Ran> =>
  captured(() => drawExamples({ task: 'points', count: '8', seed, out }))

describe('halforder examples', () => {
  test('writes a picture, tensors and words, the same for the same seed', async () => {
    const [a, b, other] = [join(scratch, 'a'), join(scratch, 'b'), join(scratch, 'other')]
    expect((await draw(a)).code).toBe(0)
    expect((await draw(b)).code).toBe(0)
    expect((await draw(other, '2')).code).toBe(0)
    expect(readdirSync(a)).toEqual(['examples.jsonl', 'examples.png', 'examples.safetensors'])
    const bytes = (folder: string): Buffer => readFileSync(join(folder, 'examples.safetensors'))
    expect(bytes(a).equals(bytes(b))).toBe(true)
    const decoded = Safetensors.decode(bytes(other))
    expect(E.isRight(decoded) && decoded.right.tensors['x0']?.shape).toEqual([8, 2])
    expect(bytes(other).equals(bytes(a))).toBe(false)
  })

  test('writes nothing where another process does', async () => {
    const out = join(scratch, 'a')
    const before = readFileSync(join(out, 'examples.png'))
    const held = await take(out)()
    const { code, err } = await draw(out, '2')
    expect(code).toBe(2)
    expect(err).toContain(`halforder examples: ${out}: expected a folder that no run is in, got one that process`)
    expect(readFileSync(join(out, 'examples.png')).equals(before)).toBe(true)
    if (E.isRight(held)) await held.right.release()
    expect((await draw(out, '2')).code).toBe(0)
  })

  test.each(['9007199254740993', '1e400', '-1', '0.5'])('refuses the seed %s', async (seed) => {
    const out = join(scratch, 'refused')
    expect(await draw(out, seed)).toEqual({
      code: 2,
      out: '',
      err: `halforder examples: --seed: expected a whole number in 0..9007199254740991, got "${seed}"\n`
    })
    expect(existsSync(out)).toBe(false)
  })
})

describe('halforder sample', () => {
  test('draws nothing of numbers that are not finite, and says where', async () => {
    const out = join(scratch, 'samples.png')
    writeFileSync(out, 'what was there')
    const options: SampleOptions = {
      task: 'points',
      prompt: '',
      count: '4',
      seed: '1',
      out,
      chain: 'ddim',
      steps: '5',
      eta: '1',
      guidance: '3e38',
      columns: '4',
      mode: 'webasm'
    }
    const { code, err } = await captured(() => sample(options))
    expect(code).toBe(1)
    expect(err).toMatch(
      /halforder sample: step \d of 5: expected finite numbers, got some where sample\[\d, \d\] is NaN; bring --guidance nearer to 1\n$/
    )
    expect(readFileSync(out, 'utf8')).toBe('what was there')
  })
})
