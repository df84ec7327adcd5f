/**
 * Shapes, in types and at run time.
 *
 * A dimension is a literal size (`784`) or a name (`'batch'`) that is bound when a program is compiled. The same
 * rules are written twice: once for the type checker, so that a wrong program does not compile, and once for
 * values, so that an untyped caller gets a readable error.
 *
 * @since 0.1.0
 */

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A size known now, or the name of one that is bound at compile time, or a product of both: `'4*batch'`.
 *
 * @category model
 * @since 0.1.0
 */
export type Dim = number | string

/**
 * The dimensions of a tensor, outermost first. A scalar is `[]`.
 *
 * @category model
 * @since 0.1.0
 */
export type Shape = ReadonlyArray<Dim>

/**
 * A shape whose first axis is the batch.
 *
 * @category model
 * @since 0.1.0
 */
export type Batched = readonly ['batch', ...Shape]

/**
 * Sizes for the named dimensions of a program, such as `{ batch: 64 }`.
 *
 * @category model
 * @since 0.1.0
 */
export type Sizes = Readonly<Record<string, number>>

/**
 * A shape that does not fit: which operation, what it needed, what it got, and what to do.
 *
 * @category model
 * @since 0.1.0
 */
export interface ShapeError {
  readonly _tag: 'ShapeError'
  readonly operation: string
  readonly expected: string
  readonly got: string
  readonly remedy: string
}

// -------------------------------------------------------------------------------------
// types: broadcasting
// -------------------------------------------------------------------------------------

type BroadcastDim<A extends Dim, B extends Dim> = [A] extends [1]
  ? B
  : [B] extends [1]
    ? A
    : [A] extends [B]
      ? A
      : [B] extends [A]
        ? B
        : never

type Append<S, D> = [S] extends [never]
  ? never
  : [D] extends [never]
    ? never
    : S extends Shape
      ? readonly [...S, D]
      : never

/**
 * The shape of an elementwise operation by NumPy's rule: right-aligned, equal or 1. `never` where they clash.
 *
 * @category types
 * @since 0.1.0
 */
export type Broadcast<A extends Shape, B extends Shape> = number extends A['length']
  ? Shape
  : number extends B['length']
    ? Shape
    : A extends readonly []
      ? B
      : B extends readonly []
        ? A
        : A extends readonly [...infer AI extends Shape, infer AL extends Dim]
          ? B extends readonly [...infer BI extends Shape, infer BL extends Dim]
            ? Append<Broadcast<AI, BI>, BroadcastDim<AL, BL>>
            : never
          : never

/**
 * What the type checker shows when two shapes do not broadcast.
 *
 * @category types
 * @since 0.1.0
 */
export interface ShapesDoNotBroadcast<A extends Shape, B extends Shape> {
  readonly 'these shapes do not broadcast': readonly [A, B]
}

/**
 * `unknown` if the shapes broadcast; a type that nothing satisfies, naming both, if they do not.
 *
 * @category types
 * @since 0.1.0
 */
export type CheckBroadcast<A extends Shape, B extends Shape> = [Broadcast<A, B>] extends [never]
  ? ShapesDoNotBroadcast<A, B>
  : unknown

// -------------------------------------------------------------------------------------
// types: axes
// -------------------------------------------------------------------------------------

/**
 * A shape without some of its axes.
 *
 * @category types
 * @since 0.1.0
 */
export type DropAxes<
  S extends Shape,
  Axes extends number,
  Seen extends ReadonlyArray<unknown> = readonly []
> = number extends S['length']
  ? Shape
  : S extends readonly [infer D extends Dim, ...infer Rest extends Shape]
    ? Seen['length'] extends Axes
      ? DropAxes<Rest, Axes, readonly [...Seen, D]>
      : readonly [D, ...DropAxes<Rest, Axes, readonly [...Seen, D]>]
    : readonly []

/**
 * A shape with the size of one axis replaced.
 *
 * @category types
 * @since 0.1.0
 */
export type ReplaceAxis<S extends Shape, Axis extends number, D extends Dim> = number extends S['length']
  ? Shape
  : { readonly [K in keyof S]: K extends `${Axis}` ? D : S[K] }

/**
 * A shape with one axis replaced by two.
 *
 * @category types
 * @since 0.1.0
 */
export type SplitAxis<
  S extends Shape,
  Axis extends number,
  D extends Dim,
  E extends Dim,
  Seen extends ReadonlyArray<unknown> = readonly []
> = number extends S['length']
  ? Shape
  : S extends readonly [infer First extends Dim, ...infer Rest extends Shape]
    ? Seen['length'] extends Axis
      ? readonly [D, E, ...Rest]
      : readonly [First, ...SplitAxis<Rest, Axis, D, E, readonly [...Seen, First]>]
    : readonly []

/**
 * A shape with its axes reordered: axis `i` of the result is axis `P[i]` of the argument.
 *
 * @category types
 * @since 0.1.0
 */
export type PermuteAxes<S extends Shape, P extends ReadonlyArray<number>> = number extends S['length']
  ? Shape
  : { readonly [K in keyof P]: P[K] extends keyof S ? (S[P[K]] extends Dim ? S[P[K]] : never) : never }

/**
 * `unknown` if the last axis of a shape has a size, as far as both are known; else a type that nothing satisfies, naming both.
 *
 * @category types
 * @since 0.1.0
 */
export type CheckLast<S extends Shape, C extends Dim> = number extends C
  ? unknown
  : number extends S['length']
    ? unknown
    : S extends readonly [...Shape, infer L extends Dim]
      ? [L] extends [C]
        ? unknown
        : [C] extends [L]
          ? unknown
          : { readonly 'the last axis has another size': readonly [L, C] }
      : unknown

// -------------------------------------------------------------------------------------
// types: einsum
// -------------------------------------------------------------------------------------

type Labels<S extends string> = S extends `${infer H}${infer R}` ? readonly [H, ...Labels<R>] : readonly []

type DimOf<L, Ls, S> = Ls extends readonly [infer H, ...infer R]
  ? S extends readonly [infer D extends Dim, ...infer Q]
    ? H extends L
      ? D
      : DimOf<L, R, Q>
    : never
  : never

type Clash<ALs, A, BLs, B> = ALs extends readonly [infer H, ...infer R]
  ? A extends readonly [infer D, ...infer Q]
    ? [DimOf<H, BLs, B>] extends [never]
      ? Clash<R, Q, BLs, B>
      : [D] extends [DimOf<H, BLs, B>]
        ? Clash<R, Q, BLs, B>
        : [DimOf<H, BLs, B>] extends [D]
          ? Clash<R, Q, BLs, B>
          : H
    : never
  : never

type Collect<Ls, ALs, A, BLs, B> = Ls extends readonly [infer H, ...infer R]
  ? readonly [[DimOf<H, ALs, A>] extends [never] ? DimOf<H, BLs, B> : DimOf<H, ALs, A>, ...Collect<R, ALs, A, BLs, B>]
  : readonly []

/**
 * The result shape of a two-operand einsum such as `'ij,jk->ik'`.
 *
 * @category types
 * @since 0.1.0
 */
export type Einsum<Spec extends string, A extends Shape, B extends Shape> = string extends Spec
  ? Shape
  : Spec extends `${infer L},${infer R}->${infer O}`
    ? Collect<Labels<O>, Labels<L>, A, Labels<R>, B> extends infer S extends Shape
      ? S
      : never
    : never

/**
 * `unknown` if each label of an einsum has one size and each operand as many axes as labels; else a type that
 * nothing satisfies, naming the label.
 *
 * @category types
 * @since 0.1.0
 */
export type CheckEinsum<Spec extends string, A extends Shape, B extends Shape> = string extends Spec
  ? unknown
  : Spec extends `${infer L},${infer R}->${string}`
    ? [A['length'], B['length']] extends [Labels<L>['length'], Labels<R>['length']]
      ? [Clash<Labels<L>, A, Labels<R>, B>] extends [never]
        ? unknown
        : { readonly 'this label has two sizes': Clash<Labels<L>, A, Labels<R>, B> }
      : { readonly 'labels and axes differ in number': readonly [Spec, A, B] }
    : { readonly 'an einsum reads "ij,jk->ik"': Spec }

// -------------------------------------------------------------------------------------
// values
// -------------------------------------------------------------------------------------

/**
 * Draws a shape for a person: `[batch, 784]`.
 *
 * @category utils
 * @since 0.1.0
 */
export const show = (shape: Shape): string => `[${shape.join(', ')}]`

/**
 * Is it a dimension at all: a name that is not empty, or a whole number from 0 on that a number can count up to?
 *
 * @category utils
 * @since 0.1.0
 */
export const isDim = (d: Dim): boolean => (typeof d === 'string' ? d !== '' : Number.isSafeInteger(d) && d >= 0)

/**
 * Is each of its dimensions one?
 *
 * @category utils
 * @since 0.1.0
 */
export const isShape = (shape: Shape): boolean => shape.every(isDim)

/**
 * Why a shape is none.
 *
 * @category utils
 * @since 0.1.0
 */
export const noShape = (operation: string, shape: Shape): ShapeError => ({
  _tag: 'ShapeError',
  operation,
  expected: 'sizes that are whole numbers from 0 on, or names',
  got: show(shape),
  remedy: 'round each size; where one is divided, take a divisor of it'
})

/**
 * Are two shapes the same, dimension by dimension?
 *
 * @category utils
 * @since 0.1.0
 */
export const equals = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i])

/**
 * The shape that two shapes broadcast to, or `undefined` where they clash.
 *
 * @category utils
 * @since 0.1.0
 */
export const broadcast = (a: Shape, b: Shape): Shape | undefined => {
  const rank = Math.max(a.length, b.length)
  const out: Array<Dim> = []
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1
    const y = b[b.length - rank + i] ?? 1
    if (x !== y && x !== 1 && y !== 1) return undefined
    out.push(x === 1 ? y : x)
  }
  return out
}

/**
 * A dimension as a number times names. A name with stars is a product, such as `'4*batch'`, and needs sizes for its factors alone.
 *
 * @category utils
 * @since 0.1.0
 */
export const factors = (d: Dim): { readonly count: number; readonly names: ReadonlyArray<string> } => {
  if (typeof d === 'number') return { count: d, names: [] }
  const [first = '', ...rest] = d.split('*')
  // a number alone is a name like another
  return rest.length > 0 && /^\d+$/.test(first)
    ? { count: Number(first), names: rest }
    : { count: 1, names: [first, ...rest] }
}

/**
 * The product of dimensions: a number, or a name such as `'4*batch'`, the same whatever the order of the factors.
 *
 * @category utils
 * @since 0.1.0
 */
export const product = (dims: ReadonlyArray<Dim>): Dim => {
  const all = dims.map(factors)
  const count = all.reduce((n, one) => n * one.count, 1)
  const names = all.flatMap((one) => one.names).sort()
  return names.length === 0 || count === 0 ? count : [...(count === 1 ? [] : [count]), ...names].join('*')
}

/**
 * The shape with its names replaced by sizes, or the names that have none.
 *
 * @category utils
 * @since 0.1.0
 */
export const bind = (
  shape: Shape,
  sizes: Sizes
): { readonly bound: ReadonlyArray<number>; readonly unbound: ReadonlyArray<string> } => {
  // own keys alone: a dimension may be called `constructor`
  const known = (name: string): number | undefined => (Object.hasOwn(sizes, name) ? sizes[name] : undefined)
  const sizeOf = (name: string): number | undefined => {
    const { count, names } = factors(name)
    return names.reduce<number | undefined>((product, one) => {
      const size = known(one)
      return product === undefined || size === undefined ? undefined : product * size
    }, count)
  }
  return {
    bound: shape.map((d) => (typeof d === 'number' ? d : (sizeOf(d) ?? 0))),
    unbound: shape.filter((d): d is string => typeof d === 'string' && sizeOf(d) === undefined)
  }
}

/**
 * One line for a person: what, expected, got, what to do.
 *
 * @category utils
 * @since 0.1.0
 */
export const showError = (error: ShapeError): string =>
  `${error.operation}: expected ${error.expected}, got ${error.got}; ${error.remedy}`
