/**
 * Numbers of sixteen bits: IEEE 754 binary16 and bfloat16, as bit patterns.
 *
 * @since 0.1.0
 */

// binary16: 1 sign bit, 5 exponent bits with bias 15, 10 fraction bits
const smallestNormal = 2 ** -14
const subnormalUnit = 2 ** -24
// halfway between the greatest finite number 65504 and 2^16, from where rounding gives infinity
const overflow = 65520

const roundHalfToEven = (value: number): number => {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

/**
 * The binary16 number nearest to `value`, as 16 bits. Ties go to the even fraction, numbers beyond 65504 to infinity.
 *
 * @category combinators
 * @since 0.1.0
 */
export const toHalf = (value: number): number => {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const magnitude = Math.abs(value)
  if (Number.isNaN(value)) return 0x7e00
  if (magnitude >= overflow) return sign | 0x7c00
  if (magnitude < smallestNormal) return sign | roundHalfToEven(magnitude / subnormalUnit)
  // magnitude * 2^14 is in [1, 2^30), where the position of the leading bit is exact
  const exponent = 31 - Math.clz32(Math.floor(magnitude / smallestNormal)) - 14
  // a fraction that rounds up to 2048 carries into the exponent, as it should
  return sign | (((exponent + 15) << 10) + roundHalfToEven(magnitude * 2 ** (10 - exponent)) - 1024)
}

/**
 * The number with the given binary16 bits.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fromHalf = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * subnormalUnit
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/**
 * The number with the given bfloat16 bits: the upper half of a binary32.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fromBfloat = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 7) & 0xff
  const fraction = bits & 0x7f
  if (exponent === 0) return sign * fraction * 2 ** -133
  if (exponent === 0xff) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (128 + fraction) * 2 ** (exponent - 134)
}

/**
 * The bfloat16 number nearest to `value`, as 16 bits: the upper half of the nearest binary32. Ties go to the even fraction.
 *
 * @category combinators
 * @since 0.1.0
 */
export const toBfloat = (value: number): number => {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, value)
  const bits = view.getUint32(0)
  if (Number.isNaN(value)) return 0x7fc0
  const [high, rest] = [bits >>> 16, bits & 0xffff]
  // a fraction that rounds up carries into the exponent, as it should
  return rest > 0x8000 || (rest === 0x8000 && high % 2 === 1) ? high + 1 : high
}
