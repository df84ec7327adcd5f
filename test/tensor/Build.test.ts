import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, it } from 'vitest'
import * as Build from '../../src/tensor/Build.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import { reference, type Target, type TargetError } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'
import { showError as showShape } from '../../src/tensor/Shape.js'

const doubled = Program.make({ x: ['batch', 2] }, ({ x }) => ({ y: X.scale(x, 2) }))

/** A program with two operations that do not fit: the types would refuse them, so they are forgotten. */
const ill: Build.Closed = Program.make({ x: ['batch', 2] }, ({ x }) => {
  const two: X.Expr = X.retype(x, ['batch', 2])
  return { y: X.reshape(two, ['batch', 3]), z: X.reshape(two, ['batch', 5]) }
})

const sizes = { batch: 3 }
const x = T.matrix([
  [1, 2],
  [3, 4],
  [5, 6]
])

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const said = <A>(result: E.Either<Build.ProgramError, A>): string =>
  E.isLeft(result) ? Build.showError(result.left) : 'accepted'

/** The reference with what was compiled and disposed of, in order; runs give `error` where there is one. */
const watched = (error?: TargetError): { readonly target: Target; readonly events: Array<string> } => {
  const events: Array<string> = []
  return {
    events,
    target: {
      ...reference,
      compile: (program, of) => {
        const made = reference.compile(program, of)
        events.push(E.isLeft(made) ? 'refused' : 'compiled')
        if (E.isLeft(made)) return made
        return E.right({
          ...made.right,
          run: (values) => {
            events.push('ran')
            return error === undefined ? made.right.run(values) : TE.left(error)
          },
          dispose: async () => {
            events.push('disposed')
            await made.right.dispose()
          }
        })
      }
    }
  }
}

const failed: TargetError = { _tag: 'Failed', target: 'reference', reason: 'it is broken' }

const refusing = (error: TargetError): Target => ({ ...reference, compile: () => E.left(error) })

describe('building', () => {
  it('gives what the target makes of a program', async () => {
    const executable = right(Build.build(reference, sizes)('doubled', doubled))
    expect(Array.from(right(await executable.run({ x })())['y']?.data ?? [])).toEqual([2, 4, 6, 8, 10, 12])
  })

  it('of a program that does not close tells every operation that does not fit, under its name, and compiles nothing', () => {
    const { target, events } = watched()
    const built = Build.build(target, sizes)('the step', ill)
    expect(built).toMatchObject({ left: { _tag: 'Ill', program: 'the step', errors: { length: 2 } } })
    // how an operation is told of is the shape's to say
    const errors = E.isLeft(ill) ? ill.left.map(showShape) : []
    expect(said(built)).toBe(`the step: ${errors.join('\n')}`)
    expect(errors).toEqual([expect.stringMatching(/^reshape: .*3/), expect.stringMatching(/^reshape: .*5/)])
    expect(events).toEqual([])
  })

  it('tells what the target says, under the name of the program', () => {
    const unsupported: TargetError = {
      _tag: 'Unsupported',
      target: 'gpu',
      reason: 'there is none',
      remedy: 'use another'
    }
    const built = Build.build(refusing(unsupported), sizes)('doubled', doubled)
    expect(built).toEqual(E.left({ _tag: 'OnTarget', program: 'doubled', error: unsupported }))
    expect(said(built)).toBe('doubled: gpu: there is none; use another')
    const unbound = Build.build(reference, {})('doubled', doubled)
    expect(unbound).toMatchObject({ left: { _tag: 'OnTarget', program: 'doubled', error: { _tag: 'Misshapen' } } })
  })

  it('of several programs is the first that is refused, or all by name', () => {
    const programs = { one: right(doubled), two: right(doubled) }
    expect(Object.keys(right(Build.buildAll(reference, sizes, programs)))).toEqual(['one', 'two'])
    expect(right(Build.buildAll(reference, sizes, {}))).toEqual({})
    expect(said(Build.buildAll(refusing(failed), sizes, programs))).toBe('one: reference: it is broken')
    const other = { ...programs, two: right(Program.make({ x: ['batch', 2] }, (given) => ({ y: given.x }))) }
    const target: Target = {
      ...reference,
      compile: (program, of) => (program === other.two ? E.left(failed) : reference.compile(program, of))
    }
    expect(said(Build.buildAll(target, sizes, other))).toBe('two: reference: it is broken')
  })
})

describe('running', () => {
  it('gives the outputs, or the failure under the name', async () => {
    const executable = right(Build.build(reference, sizes)('doubled', doubled))
    expect(Object.keys(right(await Build.run('doubled', executable)({ x })()))).toEqual(['y'])
    expect(said(await Build.run('doubled', executable)({})())).toBe(
      "doubled: input 'x': expected [3, 2], got no value; pass a tensor of that shape"
    )
    await executable.dispose()
  })

  it.each<readonly [TargetError, string]>([
    [failed, 'doubled: reference: it is broken'],
    [
      { _tag: 'Disposed', target: 'reference' },
      'doubled: reference: this executable was disposed of; compile the program again'
    ]
  ])('tells of %o', async (error, text) => {
    const { target } = watched(error)
    const executable = right(Build.build(target, sizes)('doubled', doubled))
    expect(said(await Build.run('doubled', executable)({ x })())).toBe(text)
  })
})

describe('using a program', () => {
  it('compiles it, gives what is made of its runs, and frees it', async () => {
    const { target, events } = watched()
    const result = await Build.using(target, sizes)('doubled', doubled)((run) => run({ x }))()
    expect(Array.from(right(result)['y']?.data ?? [])).toEqual([2, 4, 6, 8, 10, 12])
    expect(events).toEqual(['compiled', 'ran', 'disposed'])
  })

  it('frees it where a run fails', async () => {
    const { target, events } = watched(failed)
    expect(said(await Build.using(target, sizes)('doubled', doubled)((run) => run({ x }))())).toBe(
      'doubled: reference: it is broken'
    )
    expect(events).toEqual(['compiled', 'ran', 'disposed'])
  })

  it('frees it where its user fails for a reason of its own', async () => {
    const { target, events } = watched()
    const result = await Build.using(target, sizes)('doubled', doubled)(() => TE.left('enough' as const))()
    expect(result).toEqual(E.left('enough'))
    expect(events).toEqual(['compiled', 'disposed'])
  })

  it.each<readonly [string, () => TE.TaskEither<never, number>]>([
    ['promise is rejected', () => () => Promise.reject(new Error('no'))],
    [
      'function throws',
      () => {
        throw new Error('no')
      }
    ]
  ])("frees it where its user's %s, and lets that through", async (_, use) => {
    const { target, events } = watched()
    await expect(Build.using(target, sizes)('doubled', doubled)(use)()).rejects.toThrow('no')
    expect(events).toEqual(['compiled', 'disposed'])
  })

  it('does not use what was refused, and frees nothing', async () => {
    const { target, events } = watched()
    let used = 0
    const use = (): TE.TaskEither<never, number> => TE.right((used += 1))
    expect(said(await Build.using(target, {})('doubled', doubled)(use)())).toMatch(/^doubled: /)
    expect(said(await Build.using(target, sizes)('the step', ill)(use)())).toMatch(/^the step: reshape/)
    expect([used, events]).toEqual([0, ['refused']])
  })
})

describe('whose an error is', () => {
  it("is the caller's where the target does not support the program, and nowhere else", () => {
    const unsupported: TargetError = {
      _tag: 'Unsupported',
      target: 'gpu',
      reason: 'there is none',
      remedy: 'use another'
    }
    const errors: ReadonlyArray<readonly [Build.ProgramError, boolean]> = [
      [Build.onTarget('a')(unsupported), true],
      [Build.onTarget('a')(failed), false],
      [Build.onTarget('a')({ _tag: 'Misshapen', errors: [] }), false],
      [{ _tag: 'Ill', program: 'a', errors: [] }, false]
    ]
    for (const [error, expected] of errors) expect(Build.isUnsupported(error)).toBe(expected)
  })
})
