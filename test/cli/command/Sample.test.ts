import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode } from 'fast-png'
import * as E from 'fp-ts/lib/Either.js'
import sharp from 'sharp'
import { afterAll, describe, expect, it } from 'vitest'
import { sample, type SampleOptions } from '../../../cli/command/Sample.js'
import { asset } from '../../../cli/edge/Files.js'
import * as Clips from '../../../cli/tasks/clips/Clips.js'
import * as Faces from '../../../cli/tasks/faces/Faces.js'
import * as TextCondition from '../../../cli/tasks/faces/text/Condition.js'
import * as L from '../../../src/lens/Lens.js'
import { initial } from '../../../src/lens/Initial.js'
import type { DenoiserDescription } from '../../../src/network/Description.js'
import { encodeModel, loadModel } from '../../../src/network/Model.js'
import { parameters as parametersOf } from '../../../src/network/Network.js'
import * as Key from '../../../src/random/Key.js'
import * as Chains from '../../../src/training/Chains.js'
import type { Values } from '../../../src/tensor/Program.js'
import { captured, interrupt, type Ran } from '../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-sample-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const defaults = {
  task: 'faces',
  model: 'faces-mlp',
  prompt: '',
  count: '3',
  seed: '1',
  out: join(scratch, 'a.png'),
  chain: 'ddim',
  steps: '5',
  eta: '1',
  guidance: '1',
  columns: '8',
  mode: 'webasm'
} satisfies SampleOptions

const run = (options: Partial<SampleOptions>): Promise<Ran> => captured(() => sample({ ...defaults, ...options }))

/** A small network with random weights, as a file. */
const modelFile = (name: string, description: DenoiserDescription): string => {
  // layers that start at zero too, or a prompt would change nothing
  const random = L.mapParameters(parametersOf(description), (parameter) => ({
    ...parameter,
    deviation: 0.5
  }))
  const parameters = initial(random, Key.make(1))
  const path = join(scratch, name)
  writeFileSync(path, right(encodeModel(description, parameters, {})))
  return path
}

const tiny = modelFile('tiny.safetensors', {
  kind: 'mlp',
  features: 12,
  labels: Faces.labelWidth,
  hidden: 8,
  blocks: 1,
  embedding: 4,
  share: 'cosine'
})

describe('halforder sample', () => {
  it('draws what the prompt says', async () => {
    const out = join(scratch, 'hats.png')
    const options = { prompt: 'a person with a green cap and red clothes', count: '4', steps: '20', columns: '2', out }
    const { code, out: said } = await run(options)
    expect([code, said]).toEqual([0, `4 of ddim(eta = 1), 20 steps, in ${out}\n`])
    const { width, height, data } = decode(readFileSync(out))
    // two columns of two, 16 x 8 pixels each, with 4 between
    expect([width, height]).toEqual([2 * 132 + 4, 2 * 132 + 4])
    const pixel = (image: number, x: number, y: number): ReadonlyArray<number> => {
      const at = (4 + Math.floor(image / 2) * 132 + y * 8 + 4) * width + 4 + (image % 2) * 132 + x * 8 + 4
      return Array.from(data.slice(3 * at, 3 * at + 3))
    }
    for (const image of [0, 1, 2, 3]) {
      const [red = 0, green = 0, blue = 0] = pixel(image, 8, 1)
      expect(green).toBeGreaterThan(1.5 * Math.max(red, blue))
      const [r = 0, g = 0, b = 0] = pixel(image, 8, 15)
      expect(r).toBeGreaterThan(1.5 * Math.max(g, b))
    }
  })

  it('gives the same bytes for the same options, and others for another seed, prompt or chain', async () => {
    const bytes = async (options: Partial<SampleOptions>): Promise<string> => {
      expect((await run({ ...options, model: tiny })).code).toBe(0)
      return readFileSync(options.out ?? defaults.out).toString('base64')
    }
    const first = await bytes({})
    expect(await bytes({})).toBe(first)
    expect(await bytes({ threads: '2' })).toBe(first)
    const others: ReadonlyArray<Partial<SampleOptions>> = [
      { seed: '2' },
      { prompt: 'a sad face' },
      { chain: 'flow-ode' },
      { eta: '0' },
      { fine: 'a sad face' }
    ]
    for (const other of others) expect(await bytes(other)).not.toBe(first)
    expect(await bytes({ coarse: 'a sad face', mid: 'a sad face', fine: 'a sad face' })).toBe(
      await bytes({ prompt: 'a sad face' })
    )
    const gif = join(scratch, 'a.gif')
    expect(await bytes({ out: gif })).toBe(await bytes({ out: gif }))
  })

  it('draws clips: a clip a line, or moving; and they know motions', async () => {
    const model = modelFile('clips.safetensors', {
      kind: 'unet',
      size: Clips.size,
      labels: TextCondition.clipLabelWidth,
      patch: 1,
      channels: [2],
      groups: 1,
      embedding: 4,
      share: 'cosine'
    })
    const [png, gif] = [join(scratch, 'clips.png'), join(scratch, 'clips.gif')]
    expect((await run({ model, out: png, prompt: 'a blinking face' })).code).toBe(0)
    expect((await run({ model, out: gif, prompt: 'a blinking face' })).code).toBe(0)
    const sheet = decode(readFileSync(png))
    // a frame of 16 pixels is 128 wide, with 4 around
    expect([sheet.width, sheet.height]).toEqual([8 * 132 + 4, 3 * 132 + 4])
    const { pages, width, pageHeight } = await sharp(gif, { animated: true }).metadata()
    expect({ pages, width, pageHeight }).toEqual({ pages: 8, width: 3 * 132 + 4, pageHeight: 132 + 4 })
  })

  it('decodes latents, those of the chain at work too', async () => {
    const model = modelFile('latents.safetensors', {
      kind: 'latent',
      size: [4, 4, 3],
      patch: 1,
      channels: [2, 2],
      groups: 1,
      latent: 2,
      labels: Faces.labelWidth,
      hidden: 4,
      blocks: 1,
      embedding: 4,
      share: 'flow'
    })
    const [png, gif] = [join(scratch, 'latents.png'), join(scratch, 'latents.gif')]
    expect((await run({ model, out: png })).code).toBe(0)
    expect((await run({ model, out: gif })).code).toBe(0)
    const sheet = decode(readFileSync(png))
    expect([sheet.width, sheet.height]).toEqual([3 * 36 + 4, 40])
    expect((await sharp(gif, { animated: true }).metadata()).pages).toBe(6)
  })

  it('draws from the folder of a fine-tune', async () => {
    const base = right(loadModel(readFileSync(asset('faces-mlp.safetensors'))))
    const bytes = async (params: Values): Promise<string> => {
      const run1 = join(scratch, 'run.1')
      mkdirSync(run1, { recursive: true })
      writeFileSync(join(run1, 'model.safetensors'), right(encodeModel(base.description, params, {}, 'own')))
      expect((await run({ model: run1 })).code).toBe(0)
      return readFileSync(defaults.out).toString('base64')
    }
    expect((await run({})).code).toBe(0)
    const untrained = readFileSync(defaults.out).toString('base64')
    expect(await bytes(base.parameters)).toBe(untrained)
    const shift = { shape: [128], data: new Float32Array(128).fill(0.5) }
    expect(await bytes({ ...base.parameters, 'labels.bias': shift })).not.toBe(untrained)
  })

  it('shows the chain of a still at work as a .gif', async () => {
    const out = join(scratch, 'chain.gif')
    expect((await run({ out, count: '2', model: tiny })).code).toBe(0)
    const { pages, pageHeight, width, delay } = await sharp(out, { animated: true }).metadata()
    expect({ pages, pageHeight, width, delay }).toEqual({
      pages: 6,
      pageHeight: 24,
      width: 2 * 20 + 4,
      delay: [80, 80, 80, 80, 80, 2000]
    })
  })

  it('takes no more than 64 rows at a time, and none changes for it', async () => {
    const options = { model: tiny, steps: '2', columns: '1' }
    const [few, many] = [join(scratch, 'few.png'), join(scratch, 'many.png')]
    expect((await run({ ...options, count: '5', out: few })).code).toBe(0)
    expect((await run({ ...options, count: '70', out: many })).code).toBe(0)
    const [a, b] = [decode(readFileSync(few)), decode(readFileSync(many))]
    expect(b.height).toBe(70 * 20 + 4)
    expect(Buffer.from(b.data.slice(0, a.data.length)).equals(Buffer.from(a.data))).toBe(true)
    // the 65th is the first of the second run
    const row = (i: number): string =>
      Buffer.from(b.data.slice(3 * 24 * (20 * i + 4), 3 * 24 * 20 * (i + 1))).toString('hex')
    expect(new Set([0, 1, 63, 64, 65, 69].map(row)).size).toBe(6)
  })

  it('stops between steps on a signal, and writes nothing', async () => {
    const out = join(scratch, 'stopped.png')
    const listeners = process.listenerCount('SIGINT')
    interrupt()
    const { code, out: printed, err } = await run({ out, steps: '1000', count: '64' })
    expect([code, printed, existsSync(out), process.listenerCount('SIGINT')]).toEqual([130, '', false, listeners])
    expect(err).toContain('halforder sample: stopped, nothing was written\n')
  })
})

describe('misuse', () => {
  const folder = join(scratch, 'folder.png')
  mkdirSync(folder)
  const noModel = join(scratch, 'no.safetensors')
  writeFileSync(noModel, 'abc')
  const cases: ReadonlyArray<readonly [string, Partial<SampleOptions>, string]> = [
    [
      'a model that is none',
      { model: 'face-mlp' },
      '--model: expected one of faces-mlp, unet, flow, latent, clip, a file *.safetensors, or the folder of a run, got "face-mlp"; near it is faces-mlp'
    ],
    ['a file that is not there', { model: './nowhere.safetensors' }, '--model: could not read ./nowhere.safetensors'],
    [
      'a folder that is no run',
      { model: folder },
      `it does not exist; expected a file *.safetensors or the folder of a run that has ended, got ${folder}`
    ],
    ['a file that is no model', { model: noModel }, `--model: ${noModel}: header length: expected 8 bytes, got 3`],
    [
      'a word that is misspelt',
      { prompt: 'roundd glasses' },
      '--prompt: expected a known word, got "roundd"; the nearest are round'
    ],
    ['a misspelt part', { fine: 'hapy' }, '--fine: expected a known word, got "hapy"; the nearest are happy'],
    ['a motion of a still', { prompt: 'a blinking face' }, '--prompt: expected an image, got the motion blink'],
    ['no samples', { count: '0' }, '--count: expected a whole number in 1..4096, got "0"'],
    ['half a seed', { seed: '0.5' }, '--seed: expected a whole number in 0..9007199254740991, got "0.5"'],
    ['no steps', { steps: '' }, '--steps: expected a whole number in 1..1000, got ""'],
    ['guidance that is none', { guidance: 'much' }, '--guidance: expected a finite number, got "much"'],
    ['a chain that is none', { chain: 'edn' }, `--chain: expected one of ${Chains.names.join(', ')}, got "edn"`],
    ['too much noise', { eta: '2' }, '--eta: expected a number in 0..1, got "2"'],
    ['a chain that the model cannot serve', { chain: 'latent' }, 'chain.kind: expected a model of latents'],
    ['a mode that is not there', { mode: 'webgl' }, '--mode: '],
    ['a mode that is none', { mode: 'fast' }, '--mode: expected one of webasm, cpu'],
    ['another kind of file', { out: join(scratch, 'x.jpg') }, '--out: expected a file named *.png (a sheet) or *.gif'],
    ['a folder', { out: folder }, `--out: could not write ${folder}: it is a folder`],
    [
      'a folder that cannot be',
      { out: join(tiny, 'x.png') },
      `--out: could not write ${join(tiny, 'x.png')}: a part of the path is no folder`
    ]
  ]
  it.each(cases)('of %s ends with 2 and says what to do, and nothing is written', async (_, options, said) => {
    const before = readdirSync(scratch)
    const { code, out, err } = await run(options)
    expect(err).toContain(said)
    expect([code, out]).toEqual([2, ''])
    expect(readdirSync(scratch)).toEqual(before)
  })
})
