/**
 * Laws of lenses: the pullback is the transposed derivative, linear in the cotangent, and composition composes both.
 *
 * A lens is judged from outside: closed into programs and run in f64. Tolerances are the forward error bounds of the op
 * table (those of f32, scaled to f64) and the extrapolation error of differences.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as L from '../../src/lens/Lens.js'
import type { Lens, Params } from '../../src/lens/Lens.js'
import * as Draw from '../../src/random/Draw.js'
import type { Key } from '../../src/random/Key.js'
import { foldIn, foldInString } from '../../src/random/Key.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Sh from '../../src/tensor/Shape.js'
import type { Shape, ShapeError, Sizes } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { derivatives } from '../exact/Differences.js'
import { fromSingle, sum } from '../exact/Rounding.js'
import { inDouble } from '../Setting.js'
import * as V from '../Verdict.js'
import type { Comparison, Verdict } from '../Verdict.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A lens under test: the shapes of its argument and sizes for their names. Inputs are standard normals drawn from a key;
 * `place` moves one to where the lens is smooth (by default it stays). Paths begin with `p` for parameters and `a` for the
 * argument. Paths in `held` are constants of the lens, such as times and labels: no derivative is taken in them. Inputs whose
 * values are given in `at`, by path, are not drawn.
 *
 * @category model
 * @since 0.1.0
 */
export interface Subject<P extends Params, A extends Exprs, B extends Exprs> {
  readonly name: string
  readonly lens: Lens<P, A, B>
  readonly argument: Shapes
  readonly sizes: Sizes
  readonly place?: (path: string, x: number) => number
  readonly held?: (path: string) => boolean
  readonly at?: Values
}

/** A lens closed into a program, and its forward run into another, with the ports of its inputs and of the cotangent. */
interface Closed {
  readonly program: Program.Program
  readonly forward: Program.Program
  readonly inputs: ReadonlyArray<Program.Port>
  readonly cotangents: ReadonlyArray<Program.Port>
}

const describe = (errors: ReadonlyArray<ShapeError>): string => errors.map(Sh.showError).join('\n')

const port = ([name, shape]: readonly [string, Shape]): Program.Port => ({ name, shape })

/** Inputs `p.*`, `a.*` and `yBar.*`; outputs `y.*`, `bar.p.*` and `bar.a.*`. */
const close = <P extends Params, A extends Exprs, B extends Exprs>({
  lens,
  argument
}: Subject<P, A, B>): E.Either<string, Closed> => {
  const parameters = L.shapes(lens.parameters)
  // the trees of expressions with the declared shapes
  const p = L.inputsOf('p', lens)
  const a = Tree.inputs<Shapes>('a', argument) as A
  const [value, pullback] = lens.run(p, a)
  const shapes = Tree.map<Expr, Shape>(Tree.isExpr, value, (leaf) => leaf.shape)
  // as many expressions, of the same shapes, as the value has
  const [pBar, aBar] = pullback(Tree.inputs<Shapes>('yBar', shapes) as B)
  return pipe(
    Program.make({ p: parameters, a: argument, yBar: shapes }, (): Exprs => ({ y: value, bar: { p: pBar, a: aBar } })),
    E.bindTo('program'),
    E.bind('forward', () => Program.make({ p: parameters, a: argument }, (): Exprs => ({ y: value }))),
    E.bimap(describe, ({ program, forward }) => ({
      program,
      forward,
      inputs: [
        ...Tree.leaves<Shape>(Tree.isShape, parameters, 'p'),
        ...Tree.leaves<Shape>(Tree.isShape, argument, 'a')
      ].map(port),
      cotangents: Tree.leaves<Shape>(Tree.isShape, shapes, 'yBar').map(port)
    }))
  )
}

/** Standard normals for each port. */
const draw = (ports: ReadonlyArray<Program.Port>, sizes: Sizes, key: Key): Values =>
  Object.fromEntries(
    ports.map(({ name, shape }) => [name, Draw.normal(foldInString(key, name), Sh.bind(shape, sizes).bound)])
  )

/** The inputs of a subject: given, or drawn and put in their place. */
const inputsOf = <P extends Params, A extends Exprs, B extends Exprs>(
  { sizes, place = (_, x) => x, at = {} }: Subject<P, A, B>,
  ports: ReadonlyArray<Program.Port>,
  key: Key
): Values =>
  Object.fromEntries(
    Object.entries(draw(ports, sizes, key)).map(([name, drawn]) => {
      const given = at[name]
      return [name, given === undefined ? T.map((x) => place(name, x))(drawn) : inDouble(given)]
    })
  )

const combine = (a: Values, b: Values, x: number, y: number): Values =>
  Object.fromEntries(
    Object.entries(a).map(([name, value]) => [name, T.map((v, i) => x * v + y * (b[name]?.data[i] ?? 0))(value)])
  )

const run = ({ program }: Closed, sizes: Sizes, values: Values): E.Either<string, Reference.Bounded> =>
  evaluate(program, sizes, values)

const evaluate = (program: Program.Program, sizes: Sizes, values: Values): E.Either<string, Reference.Bounded> =>
  pipe(Reference.runWithBounds(program, sizes, values), E.mapLeft(describe))

/** Inner products of outputs with given tensors, which are named as the outputs are with another beginning. */
const pair = (
  { values, bounds }: Reference.Bounded,
  from: string,
  to: string,
  others: Values
): { readonly value: number; readonly error: number } => {
  const parts = Object.entries(others).flatMap(([name, other]) => {
    const output = `${to}${name.slice(from.length)}`
    return Array.from(other.data, (v, i) => ({
      value: v * (values[output]?.data[i] ?? 0),
      error: Math.abs(v) * (bounds[output]?.data[i] ?? 0) * fromSingle
    }))
  })
  return { value: sum(parts.map((p) => p.value)), error: sum(parts.map((p) => p.error)) }
}

const settle = (law: string, comparisons: E.Either<string, ReadonlyArray<Comparison>>): Verdict =>
  pipe(
    comparisons,
    E.match(
      (reason) => V.stuck(law, reason),
      (all) => V.verdict(law, all)
    )
  )

// -------------------------------------------------------------------------------------
// laws
// -------------------------------------------------------------------------------------

/**
 * **Adjoint.** `<yBar, J v> = <J^T yBar, v>` for each parameter and argument `v` moves alone, with `J v` by extrapolated
 * differences of the forward run. Inputs that `together` gives one name move together, in one direction.
 *
 * @category laws
 * @since 0.1.0
 */
export const adjoint =
  <P extends Params, A extends Exprs, B extends Exprs>(
    subject: Subject<P, A, B>,
    together: (path: string) => string = (path) => path
  ) =>
  (key: Key): Verdict =>
    settle(
      `${subject.name}: adjoint`,
      pipe(
        close(subject),
        E.flatMap((closed) => {
          const { sizes, held } = subject
          const at = inputsOf(subject, closed.inputs, foldIn(key, 0))
          const bar = draw(closed.cotangents, sizes, foldIn(key, 1))
          const moved = Object.entries(
            draw(
              closed.inputs.filter(({ name }) => held?.(name) !== true),
              sizes,
              foldIn(key, 2)
            )
          )
          const groups = [...new Set(moved.map(([name]) => together(name)))].map((group) => ({
            group,
            direction: Object.fromEntries(moved.filter(([name]) => together(name) === group))
          }))
          return pipe(
            run(closed, sizes, { ...at, ...bar }),
            E.map((back) =>
              groups.map(({ group, direction }): Comparison => {
                const forward = (
                  x: number
                ): { readonly value: ReadonlyArray<number>; readonly error: ReadonlyArray<number> } => {
                  const there = evaluate(closed.forward, sizes, { ...at, ...shifted(at, direction, x) })
                  if (E.isLeft(there)) return { value: [Number.NaN], error: [0] }
                  const { value, error } = pair(there.right, 'yBar', 'y', bar)
                  return { value: [value], error: [error] }
                }
                const { value, error } = derivatives(forward, { step: 0.125, levels: 9 })
                const got = pair(back, '', 'bar.', direction)
                return {
                  at: group,
                  expected: value[0] ?? Number.NaN,
                  got: got.value,
                  tolerance: (error[0] ?? 0) + got.error,
                  because: 'the extrapolation error of differences, and forward error bounds in f64'
                }
              })
            )
          )
        })
      )
    )

/** What moves, `x` along its direction. */
const shifted = (at: Values, direction: Values, x: number): Values =>
  Object.fromEntries(
    Object.entries(direction).map(([name, along]) => [
      name,
      T.map((v, i) => v + x * (along.data[i] ?? 0))(at[name] ?? along)
    ])
  )

/**
 * **Linear.** The pullback of `x u + y v` is `x` times that of `u` plus `y` times that of `v`.
 *
 * @category laws
 * @since 0.1.0
 */
export const linear =
  <P extends Params, A extends Exprs, B extends Exprs>(subject: Subject<P, A, B>) =>
  (key: Key, x: number, y: number): Verdict =>
    settle(
      `${subject.name}: linear in the cotangent`,
      pipe(
        close(subject),
        E.flatMap((closed) => {
          const { sizes } = subject
          const at = inputsOf(subject, closed.inputs, foldIn(key, 0))
          const u = draw(closed.cotangents, sizes, foldIn(key, 1))
          const v = draw(closed.cotangents, sizes, foldIn(key, 2))
          return pipe(
            E.Do,
            E.bind('both', () => run(closed, sizes, { ...at, ...combine(u, v, x, y) })),
            E.bind('first', () => run(closed, sizes, { ...at, ...u })),
            E.bind('second', () => run(closed, sizes, { ...at, ...v })),
            E.map(({ both, first, second }) =>
              bars(both.values).flatMap(([name, value]) =>
                Array.from(value.data, (got, i): Comparison => {
                  const read = (from: Values): number => from[name]?.data[i] ?? 0
                  const slack = read(both.bounds) + Math.abs(x) * read(first.bounds) + Math.abs(y) * read(second.bounds)
                  return {
                    at: `${name}[${i}]`,
                    expected: x * read(first.values) + y * read(second.values),
                    got,
                    tolerance: 2 * slack * fromSingle,
                    because: 'forward error bounds in f64'
                  }
                })
              )
            )
          )
        })
      )
    )

const bars = (values: Values): ReadonlyArray<readonly [string, T.Tensor]> =>
  Object.entries(values).filter(([name]) => name.startsWith('bar.'))

/**
 * **Same.** Two lenses agree in value and pullback, on the first one's inputs. With `exactly` to the last bit, else to the
 * forward error bounds of both.
 *
 * @category laws
 * @since 0.1.0
 */
export const same =
  <P extends Params, A extends Exprs, B extends Exprs>(law: string, subject: Subject<P, A, B>, exactly = false) =>
  (other: Lens<P, A, B>, key: Key): Verdict =>
    settle(
      `${subject.name}: ${law}`,
      pipe(
        E.Do,
        E.bind('one', () => close(subject)),
        E.bind('two', () => close({ ...subject, lens: other })),
        E.flatMap(({ one, two }) => {
          const { sizes } = subject
          const values = {
            ...inputsOf(subject, one.inputs, foldIn(key, 0)),
            ...draw(one.cotangents, sizes, foldIn(key, 1))
          }
          return pipe(
            E.Do,
            E.bind('a', () => run(one, sizes, values)),
            E.bind('b', () => run(two, sizes, values)),
            E.map(({ a, b }) => {
              const names = [...new Set([...Object.keys(a.values), ...Object.keys(b.values)])]
              return names.flatMap((name) =>
                Array.from(a.values[name]?.data ?? b.values[name]?.data ?? [], (_, i): Comparison => {
                  // a cotangent that one of them leaves out counts as zero
                  const read = (from: Values): number => from[name]?.data[i] ?? 0
                  return {
                    at: `${name}[${i}]`,
                    expected: read(a.values),
                    got: read(b.values),
                    tolerance: exactly ? 0 : (read(a.bounds) + read(b.bounds)) * fromSingle,
                    because: exactly ? 'the same operations' : 'forward error bounds in f64'
                  }
                })
              )
            })
          )
        })
      )
    )

/**
 * **Identity.** `identity` before or after a lens changes no bit of it.
 *
 * @category laws
 * @since 0.1.0
 */
export const identity =
  <P extends Params, A extends Exprs, B extends Exprs>(subject: Subject<P, A, B>) =>
  (key: Key): Verdict =>
    V.all(`${subject.name}: identity`, [
      same('identity before', subject, true)(L.compose(L.identity<A>(), subject.lens), key),
      same('identity after', subject, true)(L.compose(subject.lens, L.identity<B>()), key)
    ])

/**
 * **Associative.** `compose(compose(f, g), h)` is `compose(f, compose(g, h))`. Weights that they share may be added up in
 * another order.
 *
 * @category laws
 * @since 0.1.0
 */
export const associative =
  <P extends Params, A extends Exprs, B extends Exprs>(f: Subject<P, A, B>) =>
  <Q extends Params, C extends Exprs, R extends Params, D extends Exprs>(
    g: Lens<Q, B, C>,
    h: Lens<R, C, D>,
    key: Key
  ): Verdict =>
    same('associative', { ...f, lens: L.compose(L.compose(f.lens, g), h) })(L.compose(f.lens, L.compose(g, h)), key)

/**
 * **Functorial.** The pullback of `compose(f, g)` is `f`'s after `g`'s, with the parameters' cotangents added; `compose` may
 * be your own.
 *
 * @category laws
 * @since 0.1.0
 */
export const functorial =
  <P extends Params, A extends Exprs, B extends Exprs>(f: Subject<P, A, B>, compose: typeof L.compose = L.compose) =>
  <Q extends Params, C extends Exprs>(g: Lens<Q, B, C>, key: Key): Verdict => {
    const composed = compose(f.lens, g)
    const byHand: Lens<P & Q, A, C> = L.make(composed.parameters, (p, a) => {
      const [b, backF] = f.lens.run(p, a)
      const [c, backG] = g.run(p, b)
      return [
        c,
        (cBar) => {
          const [qBar, bBar] = backG(cBar)
          const [pBar, aBar] = backF(bBar)
          return [Tree.add(pBar, qBar), aBar]
        }
      ]
    })
    return same('functorial', { ...f, lens: byHand })(composed, key)
  }
