/**
 * Laws of programs and of the targets that run them.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import { type Accuracy, type Node, processor } from '../../src/tensor/Op.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Sh from '../../src/tensor/Shape.js'
import type { ShapeError, Sizes } from '../../src/tensor/Shape.js'
import { showTargetError, type Target } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'
import * as V from '../Verdict.js'
import type { Comparison, Verdict } from '../Verdict.js'

/**
 * A program with sizes for its names and values for its inputs.
 *
 * @category model
 * @since 0.1.0
 */
export interface Case {
  readonly program: Program.Program
  readonly sizes: Sizes
  readonly values: Values
}

const describe = (errors: ReadonlyArray<ShapeError>): string => errors.map(Sh.showError).join('\n')

/**
 * **Shapes.** Each output has the shape that the program declares for it, with the names replaced by their sizes, and as
 * many elements.
 *
 * @category laws
 * @since 0.1.0
 */
export const shapes = ({ program, sizes, values }: Case): Verdict =>
  pipe(
    Reference.run(program, sizes, values),
    E.match(
      (errors) => V.stuck('shapes', describe(errors)),
      (out) =>
        V.holds(
          'shapes',
          program.outputs.map(({ name, shape }): readonly [string, boolean] => {
            const got = out[name]
            const { bound } = Sh.bind(shape, sizes)
            return [
              `${name}: declared ${Sh.show(shape)}, got ${Sh.show(got?.shape ?? [])}`,
              got !== undefined && Sh.equals(got.shape, bound) && got.data.length === T.size(bound)
            ]
          })
        )
    )
  )

/** The value of an expression, each node run as a program of its own: nothing is shared, and no order is chosen. */
const evaluate = (node: Node, sizes: Sizes, values: Values): E.Either<string, T.Tensor> => {
  const { op } = node
  if (op._tag === 'Input') return E.fromNullable(`no value for ${op.name}`)(values[op.name])
  const args = node.args.map((arg) => evaluate(arg, sizes, values))
  const given: Record<string, T.Tensor> = {}
  for (const [i, arg] of args.entries()) {
    if (E.isLeft(arg)) return arg
    given[`arg${i}`] = arg.right
  }
  const inputs = Object.fromEntries(node.args.map((arg, i) => [`arg${i}`, arg.shape]))
  return pipe(
    Program.make(inputs, () => {
      const one: Expr = { op, shape: node.shape, args: node.args.map((arg, i) => X.input(`arg${i}`, arg.shape)) }
      return { value: one }
    }),
    E.flatMap((program) => Reference.run(program, sizes, given)),
    E.mapLeft(describe),
    E.flatMap((out) => E.fromNullable('no output')(out['value']))
  )
}

/**
 * **Sharing.** Equal subtrees are computed once, and that changes no bit: the program of an expression gives what its tree
 * gives node by node, and closing it beside a copy of itself adds no instruction. `inputs` are the shapes of its inputs.
 *
 * @category laws
 * @since 0.1.0
 */
export const sharing = (
  inputs: Readonly<Record<string, Sh.Shape>>,
  build: () => Expr,
  sizes: Sizes,
  values: Values,
  make: typeof Program.make = Program.make
): Verdict =>
  pipe(
    E.Do,
    E.bind('one', () =>
      pipe(
        make(inputs, () => ({ one: build() })),
        E.mapLeft(describe)
      )
    ),
    E.bind('two', () =>
      pipe(
        make(inputs, () => ({ one: build(), copy: build() })),
        E.mapLeft(describe)
      )
    ),
    E.bind('tree', () => evaluate(build(), sizes, values)),
    E.bind('out', ({ two }) => pipe(Reference.run(two, sizes, values), E.mapLeft(describe))),
    E.match(
      (reason) => V.stuck('sharing', reason),
      ({ one, two, tree, out }) =>
        V.verdict('sharing', [
          {
            at: 'instructions beside a copy',
            expected: one.instructions.length,
            got: two.instructions.length,
            tolerance: 0,
            because: 'instructions are counted'
          },
          ...['one', 'copy'].flatMap((name) =>
            Array.from(
              tree.data,
              (expected, i): Comparison => ({
                at: `${name}[${i}]`,
                expected,
                got: out[name]?.data[i] ?? Number.NaN,
                tolerance: 0,
                because: 'the same operations'
              })
            )
          )
        ])
    )
  )

/**
 * **Wrong inputs are named.** Leaving out an input, or giving one another shape, is a left whose text names that input; and
 * leaving out a size is one that names the dimension.
 *
 * @category laws
 * @since 0.1.0
 */
export const namesWrongInputs = ({ program, sizes, values }: Case): Verdict => {
  const said = (
    at: string,
    wanted: string,
    result: E.Either<ReadonlyArray<ShapeError>, Values>
  ): readonly [string, boolean] => [
    `${at}: ${E.isLeft(result) ? describe(result.left) : 'accepted'}`,
    E.isLeft(result) && describe(result.left).includes(wanted)
  ]
  const without = (name: string): Values => Object.fromEntries(Object.entries(values).filter(([key]) => key !== name))
  return V.holds('wrong inputs are named', [
    ...program.inputs.flatMap(({ name }) => {
      const value = values[name] ?? T.scalar(0)
      const longer = T.fill([2, ...value.shape], 1)
      return [
        said(`without ${name}`, `'${name}'`, Reference.run(program, sizes, without(name))),
        said(`${name} of another shape`, `'${name}'`, Reference.run(program, sizes, { ...values, [name]: longer }))
      ]
    }),
    ...Object.keys(sizes)
      .filter((dim) => program.inputs.some(({ shape }) => shape.includes(dim)))
      .map((dim) => {
        const others = Object.fromEntries(Object.entries(sizes).filter(([key]) => key !== dim))
        return said(`without a size for ${dim}`, `'${dim}'`, Reference.run(program, others, values))
      })
  ])
}

/**
 * **Compiled agrees.** A target's outputs are within the forward error bounds of f32 of the f64 meaning, element by element.
 * `accuracy` is that of its device; default: `Op.processor`.
 *
 * @category laws
 * @since 0.1.0
 */
export const compiledAgrees =
  (target: Target, accuracy: Accuracy = processor) =>
  ({ program, sizes, values }: Case): Task<Verdict> => {
    const law = `compiled on ${target.name} agrees with the meaning`
    return pipe(
      TE.fromEither(pipe(Reference.runWithBounds(program, sizes, values, accuracy), E.mapLeft(describe))),
      TE.bindTo('meaning'),
      TE.bind('executable', () => TE.fromEither(pipe(target.compile(program, sizes), E.mapLeft(showTargetError)))),
      TE.bind('got', ({ executable }) => pipe(executable.run(values), TE.mapLeft(showTargetError))),
      TE.chainFirstTaskK(
        ({ executable }) =>
          () =>
            executable.dispose()
      ),
      TE.match(
        (reason) => V.stuck(law, reason),
        ({ meaning, got }) =>
          V.verdict(
            law,
            Object.entries(meaning.values).flatMap(([name, { data }]) =>
              Array.from(
                data,
                (expected, i): Comparison => ({
                  at: `${name}[${i}]`,
                  expected,
                  got: got[name]?.data[i] ?? Number.NaN,
                  tolerance: meaning.bounds[name]?.data[i] ?? 0,
                  because: 'the forward error bound of f32'
                })
              )
            )
          )
      )
    )
  }
