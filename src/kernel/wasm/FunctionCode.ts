/**
 * Elementwise functions on four f32 lanes, in line: range reductions and polynomials.
 *
 * The largest errors, measured against f64 on dense grids, are below `Op.functionError`; a test measures them again.
 * Infinities and NaN go where they go in f64.
 *
 * @since 0.1.0
 */
import type { MapName } from '../../tensor/Op.js'
import {
  cosTail,
  erfFar,
  erfNear,
  expTail,
  halfPi,
  logTail,
  sinTail,
  tanhNear,
  tanhTail
} from '../plan/Coefficients.js'
import type { Code, VectorName } from './Encoder.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Appends code that takes its arguments from the stack and leaves its value there.
 *
 * @category model
 * @since 0.1.0
 */
export type Emit = (code: Code) => void

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

const all =
  (...emits: ReadonlyArray<Emit>): Emit =>
  (code) =>
    emits.forEach((emit) => emit(code))

const vector =
  (name: VectorName): Emit =>
  (code) =>
    code.vector(name)

const number =
  (value: number): Emit =>
  (code) =>
    code.splat(value)

const bits =
  (value: number): Emit =>
  (code) =>
    code.splatBits(value)

const get =
  (local: number): Emit =>
  (code) =>
    code.get(local)

const binary =
  (name: VectorName) =>
  (a: Emit, b: Emit): Emit =>
    all(a, b, vector(name))

const add = binary('f32x4.add')
const sub = binary('f32x4.sub')
const mul = binary('f32x4.mul')
const div = binary('f32x4.div')
const min = binary('f32x4.min')
const max = binary('f32x4.max')
const and = binary('v128.and')
const or = binary('v128.or')
const less = binary('f32x4.lt')

/** The bits of `a` where the mask is set, else those of `b`. */
const choose = (mask: Emit, a: Emit, b: Emit): Emit => all(a, b, mask, vector('v128.bitselect'))

/** Keeps a value in a new local. */
const keep = (code: Code, value: Emit): Emit => {
  const local = code.local('v128')
  value(code)
  code.set(local)
  return get(local)
}

/** `x` from `low` to `high`, in an instruction each, which `f32x4.min` is not; what is not a number stays so. */
const within = (x: Emit, low: number, high: number): Emit =>
  all(x, number(high), vector('f32x4.pmin'), number(low), vector('f32x4.pmax'))

const signBit = 0x80000000 | 0

const withSignOf = (magnitude: Emit, sign: Emit): Emit => or(magnitude, and(sign, bits(signBit)))

// -------------------------------------------------------------------------------------
// arithmetic
// -------------------------------------------------------------------------------------

/** `a b + c`: rounded once where there is an instruction for it. */
type MultiplyAdd = (a: Emit, b: Emit, c: Emit) => Emit

const twoRoundings: MultiplyAdd = (a, b, c) => add(mul(a, b), c)
const oneRounding: MultiplyAdd = (a, b, c) => all(a, b, c, vector('f32x4.relaxed_madd'))

/** Horner's rule. */
const polynomial = (madd: MultiplyAdd, coefficients: ReadonlyArray<number>, x: Emit): Emit =>
  coefficients.reduceRight<Emit | undefined>((rest, c) => (rest ? madd(rest, x, number(c)) : number(c)), undefined) ??
  number(0)

// -------------------------------------------------------------------------------------
// functions
// -------------------------------------------------------------------------------------

/** A function of one argument. */
type OfOne = (madd: MultiplyAdd) => (code: Code, argument: Emit) => Emit

const log2e = 1.4426950408889634
// log 2 in two parts: the first has 9 bits, so that its products with whole numbers of up to 15 bits are exact
const log2High = 0.693359375
const log2Low = -2.1219444005469057e-4

/** Added to a number of up to 22 bits, it leaves the nearest whole number in the lowest bits of the sum. */
const rounder = 1.5 * 2 ** 23

/** 2^n for whole n in [-126, 127], from the exponent bits. */
const powerOfTwo = (n: Emit): Emit =>
  all(n, bits(127), vector('i32x4.add'), (code) => code.integer(23), vector('i32x4.shl'))

/** What e^x is made of for |x| < 2^20: e^x = 2^n e^r with |r| <= log(2) / 2, where n is in the lowest bits of `n`. */
const reduced = (madd: MultiplyAdd, code: Code, x: Emit): { readonly n: Emit; readonly value: Emit } => {
  const n = keep(code, madd(x, number(log2e), number(rounder)))
  const whole = keep(code, sub(n, number(rounder)))
  const r = keep(code, madd(whole, number(-log2Low), madd(whole, number(-log2High), x)))
  return { n, value: add(madd(mul(polynomial(madd, expTail, r), r), r, r), number(1)) }
}

/** e^x. The power of two is applied in two halves, so that neither overflows too early. */
const exp: OfOne = (madd) => (code, argument) => {
  const { n, value } = reduced(madd, code, keep(code, within(argument, -105, 89.5)))
  const early = keep(code, value)
  const whole = keep(code, all(n, number(rounder), vector('i32x4.sub')))
  const half = keep(
    code,
    all(whole, (c) => c.integer(1), vector('i32x4.shr_s'))
  )
  return mul(mul(early, powerOfTwo(half)), powerOfTwo(all(whole, half, vector('i32x4.sub'))))
}

/** log x = n log 2 + log m with m in [sqrt(1/2), sqrt 2). */
const log: OfOne = (madd) => (code, argument) => {
  const x = keep(code, argument)
  // numbers below the normal range are scaled into it
  const tiny = keep(code, less(x, number(2 ** -126)))
  const scaled = keep(code, choose(tiny, mul(x, number(2 ** 23)), x))
  // the exponent of x / sqrt(1/2), read off the bits
  const shifted = keep(code, all(scaled, bits(0x3f3504f3), vector('i32x4.sub')))
  const n = keep(
    code,
    all(shifted, (c) => c.integer(23), vector('i32x4.shr_s'))
  )
  const m = all(scaled, n, (c) => c.integer(23), vector('i32x4.shl'), vector('i32x4.sub'))
  const f = keep(code, sub(m, number(1)))
  const exponent = keep(code, sub(all(n, vector('f32x4.convert_i32x4_s')), and(tiny, number(23))))
  const square = keep(code, mul(f, f))
  const tail = mul(mul(square, f), polynomial(madd, logTail, f))
  const small = add(add(mul(exponent, number(log2Low)), tail), mul(square, number(-0.5)))
  const value = keep(code, add(mul(exponent, number(log2High)), add(f, small)))
  const finite = choose(less(x, number(Infinity)), value, x)
  const positive = choose(
    less(number(0), x),
    finite,
    all(x, number(0), vector('f32x4.eq'), number(-Infinity), vector('v128.and'))
  )
  // x below zero, or not a number: the mask is all ones, which is a NaN
  const undefinedHere = all(x, number(0), vector('f32x4.ge'), bits(-1), vector('v128.xor'))
  return or(positive, undefinedHere)
}

/** An odd polynomial near 0, else 1 - 2 / (e^2|x| + 1) with the sign of x. */
const tanh: OfOne = (madd) => (code, argument) => {
  const x = keep(code, argument)
  const size = keep(code, all(x, vector('f32x4.abs')))
  const square = keep(code, mul(x, x))
  const near = keep(code, add(x, mul(mul(x, square), polynomial(madd, tanhTail, square))))
  const growth = exp(madd)(code, add(size, size))
  const far = withSignOf(sub(number(1), div(number(2), add(growth, number(1)))), x)
  return choose(less(size, number(tanhNear)), near, far)
}

/**
 * 1 / (1 + e^-x). Beside 1 small powers of two need no care: one multiplication is enough, by 2^(n - 1), and the rest doubles, so
 * that it overflows where it should; n = 129 reads as an infinity.
 */
const sigmoid: OfOne = (madd) => (code, argument) => {
  const { n, value } = reduced(madd, code, keep(code, within(all(argument, vector('f32x4.neg')), -87, 89.5)))
  const power = all(n, (c) => c.integer(23), vector('i32x4.shl'), bits(126 << 23), vector('i32x4.add'))
  return div(number(1), madd(mul(value, power), number(2), number(1)))
}

/** x P(x^2) up to 1, else 1 - e^-Q(|x|) with the sign of x, where Q approximates -log(1 - erf); 1 in f32 from 4 on. */
const erf: OfOne = (madd) => (code, argument) => {
  const x = keep(code, argument)
  const size = keep(code, min(all(x, vector('f32x4.abs')), number(4)))
  const near = keep(code, mul(x, polynomial(madd, erfNear, mul(size, size))))
  const rest = exp(madd)(code, all(polynomial(madd, erfFar, size), vector('f32x4.neg')))
  const far = withSignOf(sub(number(1), rest), x)
  return choose(less(size, number(1)), near, far)
}

const twoOverPi = 0.6366197723675814

/** The sine of `x + quarters * pi / 2`: reduced to |r| <= pi / 4, then the quadrant picks polynomial and sign. */
const sine =
  (quarters: number): OfOne =>
  (madd) =>
  (code, argument) => {
    const x = keep(code, argument)
    const whole = keep(code, all(mul(x, number(twoOverPi)), vector('f32x4.nearest')))
    const left = halfPi.reduce<Emit>((rest, part) => sub(rest, mul(whole, number(part))), x)
    // where the argument is so large that nothing is left of the reduction, the value still lies in [-1, 1]
    const r = keep(code, max(min(left, number(0.79)), number(-0.79)))
    const square = keep(code, mul(r, r))
    const odd = keep(code, add(r, mul(mul(r, square), polynomial(madd, sinTail, square))))
    const even = keep(
      code,
      add(sub(number(1), mul(square, number(0.5))), mul(mul(square, square), polynomial(madd, cosTail, square)))
    )
    const quadrant = keep(code, all(whole, vector('i32x4.trunc_sat_f32x4_s'), bits(quarters), vector('i32x4.add')))
    const shift = (by: number, name: 'i32x4.shl' | 'i32x4.shr_s'): Emit => all((c) => c.integer(by), vector(name))
    const swap = all(quadrant, shift(31, 'i32x4.shl'), shift(31, 'i32x4.shr_s'))
    const sign = and(all(quadrant, shift(30, 'i32x4.shl')), bits(signBit))
    const value = all(choose(swap, even, odd), sign, vector('v128.xor'))
    return value
  }

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

const one =
  (name: VectorName) =>
  (args: ReadonlyArray<Emit>): Emit =>
    all(...args, vector(name))
const truth =
  (name: VectorName) =>
  (args: ReadonlyArray<Emit>): Emit =>
    and(all(...args, vector(name)), number(1))

type Functions = Readonly<Record<MapName, (args: ReadonlyArray<Emit>) => Emit>>

const functions = (madd: MultiplyAdd): Functions => {
  const via =
    (f: OfOne) =>
    ([x = number(0)]: ReadonlyArray<Emit>): Emit =>
    (code) =>
      f(madd)(code, x)(code)
  return {
    neg: one('f32x4.neg'),
    abs: one('f32x4.abs'),
    exp: via(exp),
    log: via(log),
    tanh: via(tanh),
    sigmoid: via(sigmoid),
    erf: via(erf),
    sqrt: one('f32x4.sqrt'),
    sin: via(sine(0)),
    cos: via(sine(1)),
    add: one('f32x4.add'),
    sub: one('f32x4.sub'),
    mul: one('f32x4.mul'),
    div: one('f32x4.div'),
    max: one('f32x4.max'),
    min: one('f32x4.min'),
    less: truth('f32x4.lt'),
    equal: truth('f32x4.eq'),
    select: ([c = number(0), a = number(0), b = number(0)]) => choose(all(c, number(0), vector('f32x4.ne')), a, b)
  }
}

const [separate, fused] = [functions(twoRoundings), functions(oneRounding)]

/**
 * The code of each elementwise operation, given the code of its arguments, each of which is used once; with or without an
 * instruction that multiplies and adds.
 *
 * @category instances
 * @since 0.1.0
 */
export const functionCode = (fma: boolean): Functions => (fma ? fused : separate)
