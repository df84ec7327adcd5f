/**
 * Both packages as a stranger gets them: compiled, packed, unpacked into a project of its own. Dependencies are linked, so no
 * network is needed; nothing in the checkout is written to.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as t from 'io-ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decode, link, output, packages, scratch, type Tarball } from '../package/packed.js'
import { root } from '../package/sources.js'

const Manifest = t.type({ dependencies: t.record(t.string, t.string) })

const Answers = t.type({
  right: t.string,
  rightSteps: t.array(t.string),
  wrong: t.string,
  wrongState: t.string,
  wrongSteps: t.array(t.string)
})

const { folder, remove } = scratch('stranger')
const project = join(folder, 'project')
const modules = join(project, 'node_modules')
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const program = join('node_modules', 'halforder-cli', 'bin', 'halforder.js')

const node = (...args: ReadonlyArray<string>): string => output(process.execPath, args, project)

const linked = (name: string): void => {
  if (!existsSync(join(modules, name))) link(modules, name, join(root, 'node_modules', name))
}

const unpack = (name: string, { path }: Tarball): void => {
  output('tar', ['-xzf', path], folder)
  renameSync(join(folder, 'package'), join(modules, name))
  const { dependencies } = decode(Manifest, readFileSync(join(modules, name, 'package.json'), 'utf8'))
  Object.keys(dependencies).forEach(linked)
}

beforeAll(() => {
  mkdirSync(modules, { recursive: true })
  const packed = packages(folder)
  unpack('halforder', packed.library)
  unpack('halforder-cli', packed.program())
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'stranger', type: 'module', private: true }))
}, 300_000)

afterAll(remove)

describe('a project that has the tarballs only', () => {
  test('verifies an estimator from the command line, without the optional peer', () => {
    writeFileSync(
      join(project, 'model.json'),
      JSON.stringify({
        kind: 'tanh',
        T: 2,
        alpha: 0.9,
        theta: [0.3, 0.1],
        sigma: 0.5,
        reward: { kind: 'quadratic', m: 1 }
      })
    )
    writeFileSync(join(project, 'estimator.json'), JSON.stringify({ name: 'segmented', h: 1 }))
    const files = ['--model', 'model.json', '--estimator', 'estimator.json']
    expect(existsSync(join(modules, 'fast-check'))).toBe(false)
    const out = node(program, 'verify', ...files, '--samples', '1000', '--json')
    expect(JSON.parse(out)).toMatchObject({ verdict: 'unbiased', target: 'J', unpaidSteps: [] })
  })

  test('is told which step of its chain breaks which law', () => {
    linked('fast-check')
    linked('@types/node')
    cpSync(join(root, 'test', 'stranger', 'Gains.ts'), join(project, 'Gains.ts'))
    // the declarations that were packed type check a stranger's program
    node(tsc, '--module', 'nodenext', '--target', 'es2022', '--strict', '--skipLibCheck', '--types', 'node', 'Gains.ts')
    const { right, rightSteps, wrong, wrongState, wrongSteps } = decode(Answers, node('Gains.js'))
    expect(right).toBe('holds')
    expect(rightSteps).toEqual(['holds', 'holds', 'holds', 'holds'])
    expect(wrong).toMatch(/gains, step 3: adjoint: refuted in 1 of 2 comparisons\n {2}p\.theta: expected .*, got /)
    // estimators of one step never ask for the state's pullback
    expect(wrongState).toMatch(/gains, step 3: adjoint: refuted in 1 of 2 comparisons\n {2}a\.x: expected .*, got /)
    expect(`${wrong}${wrongState}`).not.toMatch(/step [124]: adjoint/)
    expect(wrongSteps.map((answer) => answer === 'holds')).toEqual([true, true, false, true])
    expect(wrongSteps[2]).toMatch(/adjoint.*step 3|step 3.*adjoint/s)
  })

  test('trains, fine-tunes and draws the task of the guide, from its file', () => {
    cpSync(join(root, 'docs', 'examples', 'points.mjs'), join(project, 'points.mjs'))
    const task = ['--task', './points.mjs']
    // a few steps: that it works, not how well
    expect(node(program, 'pretrain', 'spiral', ...task, '--steps', '20', '--out', 'runs/spiral')).toMatch(
      /^wrote runs\/spiral: loss on held-out examples \d/
    )
    expect(
      node(program, 'sample', ...task, '--count', '4', '--steps', '5', '--out', 'x.png', '--prompt', 'first')
    ).toBe('4 of ddim(eta = 1), 5 steps, in x.png\n')
    expect(statSync(join(project, 'x.png')).size).toBeGreaterThan(1000)
    const summary = decode(
      t.type({ reward: t.string, steps: t.number, unpaidSteps: t.array(t.number) }),
      node(program, 'finetune', ...task, '--steps', '1', '--T', '5', '--out', 'runs/right', '--json')
    )
    expect(summary).toEqual(expect.objectContaining({ reward: 'how far right', steps: 1, unpaidSteps: [] }))
  })
})
