import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { chooseEstimator, type ChooseOptions } from '../../../cli/command/Choose.js'
import { finetune, type Options } from '../../../cli/command/Finetune.js'
import { contents } from '../../faults/program.js'
import { captured, type Ran } from '../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-choose-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

// few candidates: compiling them all takes longer than running them
const auto = 'auto(only = "backpropagation|clean baseline")'
const config = join(scratch, 'quick.json')
writeFileSync(config, JSON.stringify({ task: 'points', chain: { T: 4 }, batch: 64, evaluationSamples: 6, steps: 12 }))

const choose = (options: ChooseOptions): Promise<Ran> => captured(() => chooseEstimator(options))
const run = (options: Options): Promise<Ran> => captured(() => finetune(options, new Date(0)))

describe('halforder choose', () => {
  it('says where a run is too short for it', async () => {
    const { code, err } = await choose({ config, steps: '1', estimator: auto })
    expect(code).toBe(1)
    expect(err).toMatch(/a pilot of every candidate takes \d+ .* make the run longer, or name an estimator/)
  })
})

describe('an estimator that is chosen', () => {
  it('is written down, so that a run that goes on has its bits', async () => {
    const [whole, half] = [join(scratch, 'whole'), join(scratch, 'half')]
    const first = await run({ config, estimator: auto, out: whole })
    expect(first.code).toBe(0)
    expect(first.err).toMatch(/estimator +samples +variance +E \+ P +ms/)
    expect(first.err).toMatch(
      /\nthe pilot took \d+ evaluations and pullbacks of \d+ that it may take: [\d.]+ % of the run's \d+\nchosen: \w+/
    )
    const written = JSON.parse(readFileSync(join(whole, 'config.json'), 'utf8')) as { estimator: { name: string } }
    expect(written.estimator.name).not.toBe('auto')
    // what was measured depends on the clock: the other run is told
    const told = join(scratch, 'told.json')
    cpSync(join(whole, 'config.json'), told)
    expect((await run({ config: told, steps: '6', out: half })).code).toBe(0)
    expect((await run({ resume: half, estimator: 'auto', steps: '12' })).code).toBe(0)
    expect(contents(half)).toEqual(contents(whole))
  })
})
