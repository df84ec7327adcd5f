/** Weights for the names and shapes of a network: uniform, and as large as keeps what goes through it about as large. */
export const weightsFor = (parameters) => {
  let seed = 1
  return Object.fromEntries(
    [...parameters].map(([name, shape]) => {
      const n = shape.reduce((a, b) => a * b, 1)
      const data = new Float32Array(n)
      const scale = shape.length > 1 ? Math.sqrt(3 / (n / shape[0])) : 0.05
      for (let i = 0; i < n; i++) {
        seed = (Math.imul(seed, 1664525) + 1013904223) | 0
        data[i] = (seed / 2 ** 31) * scale
      }
      return [name, { shape, data }]
    })
  )
}
