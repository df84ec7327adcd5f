/**
 * The logarithm of the gamma function.
 *
 * @since 0.1.0
 */

/**
 * ln Gamma(x) for x > 0: Stirling's series after shifting the argument above 10, where the first term left out is
 * 3e-17.
 *
 * @category utils
 * @since 0.1.0
 */
export const logGamma = (x: number): number => {
  if (x < 10) return logGamma(x + 1) - Math.log(x)
  const y = 1 / (x * x)
  const series =
    1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - y * (691 / 360360 - y * (1 / 156))))))
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series / x
}
